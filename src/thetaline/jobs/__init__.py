"""The pipeline, one file a stage, in flow order: read rows, call a library, write rows."""
