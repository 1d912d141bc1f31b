"""A group of commands one of which runs when none is named: `thetaline runs` is `thetaline runs list`."""

from typing import Any

from typer.core import TyperGroup


def defaults_to(command: str) -> type[TyperGroup]:
    """The class of a typer app (`cls=`) that hands arguments without a command's name to `command`."""

    class Group(TyperGroup):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            named = args[:1] == ["--help"] or (bool(args) and args[0] in self.commands)
            return super().parse_args(ctx, args if named else [command, *args])

    return Group
