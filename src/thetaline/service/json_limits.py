"""What a JSON body may hold, counted in its bytes before anything is made of them."""

from dataclasses import dataclass

from thetaline.service.http_errors import ApiError


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLimits:
    """How many lists, objects and values. Brackets, braces and commas in strings count too: a bound from above."""

    lists: int
    objects: int
    values: int

    def hold(self, body: bytes) -> bool:
        """Whether the body keeps within them; a millisecond for a megabyte."""
        return body.count(b"[") <= self.lists and body.count(b"{") <= self.objects and body.count(b",") <= self.values

    def require(self, body: bytes) -> bytes:
        """The body itself. Raises a 413 where it does not keep within them."""
        if self.hold(body):
            return body
        most = f"{self.lists} lists, {self.objects} objects or {self.values} values"
        raise ApiError(413, "the body has too many parts", f"at most {most} are taken here")


# What the loop parses and validates in some 20 ms, whatever it is: a list of one number costs 0.3 µs, a row of named
# fields as much, an item of a bank 2 µs, a number or a string 50 ns.
QUICK_ROWS = JsonLimits(lists=10_000, objects=50_000, values=300_000)
QUICK_BANK = JsonLimits(lists=5_000, objects=5_000, values=300_000)
# Ten times of what a session or a week of a learner can need.
SMALL = JsonLimits(lists=1_000, objects=20_000, values=100_000)


def limits_of_process(most_answers: int) -> JsonLimits:
    """Of a body that a fit process parses: an empty list or object takes up to 400 bytes of its memory."""
    spare = 300_000  # items of two banks, and what stands around them
    return JsonLimits(lists=2 * most_answers + spare, objects=2 * most_answers + spare, values=1 << 32)
