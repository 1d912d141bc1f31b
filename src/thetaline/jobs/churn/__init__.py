"""The risk that learners fall silent, once a week, from the answers of the last months."""
