"""The one error of the set-up: what is missing, why, and what to type.

Every failure a user can see is a `SetupProblem`; anything else that escapes is a bug. No printing here.
"""


class SetupProblem(Exception):
    """The set-up cannot go on; its three parts tell a person what to do."""

    def __init__(self, what: str, why: str, fix: str) -> None:
        super().__init__(f"{what}: {why}")
        self.what = what
        self.why = why
        self.fix = fix

    def __str__(self) -> str:
        return f"missing: {self.what}\nwhy:     {self.why}\ntype:    {self.fix}"
