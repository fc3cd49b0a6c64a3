"""A check while it runs: its workers, its budget, its checkpoint, its progress, and what it has spent.

`checks.check` enters a `Run`, and every later stage is handed it. An `Evaluator` evaluates within it. Nothing
else counts evaluations.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from fastgrad.execution.budget import Budget
from fastgrad.execution.checkpoint_path import require_usable
from fastgrad.execution.progress import Progress, in_words
from fastgrad.execution.resumption import Resumption
from fastgrad.execution.sent import Sent
from fastgrad.execution.value_store import NoCheckpoint, ValueStore
from fastgrad.execution.workers import one_blas_thread
from fastgrad.options import Options

GONE = "was deleted or replaced while the check ran: what was kept there is lost"

REPORT_OF_A_BLOCK = 1.5e-5
"""Seconds that verdict and report take for each block: 1.2 s for 10^5 of one number each."""


@dataclass(eq=False)
class Run:
    """What evaluations may use, and what they have used.

    Parameters
    ----------
    n_jobs, backend : as joblib.Parallel takes them; None is what joblib.parallel_config says, else one worker
    budget : what may be spent; without limits by default
    checkpoint : where finished values are kept; nowhere by default
    progress : what a waiting user is shown; nothing by default

    Examples
    --------
    >>> with Run(budget=Budget(evaluations=100)) as run:
    ...     run.budget.spend(30)
    ...     run.charge("set-up")
    ...     run.budget.spend(5)
    ...     run.charge("subset")
    >>> run.evaluations, run.spent
    (35, {'set-up': 30, 'subset': 5})
    """

    n_jobs: int | None = None
    backend: Any = None
    budget: Budget = field(default_factory=Budget)
    checkpoint: ValueStore = field(default_factory=NoCheckpoint)
    progress: Progress = field(default_factory=lambda: Progress(False))
    spent: dict[str, int] = field(init=False, default_factory=dict)
    """Evaluations by what they were made for."""
    most_workers: int = field(init=False, default=1)
    lost: int = field(init=False, default=0)
    """Evaluations that gave no finite value."""
    raised: str = field(init=False, default="")
    """What the cost raised at one of them, if it did."""
    plain_because: str = field(init=False, default="")
    """Why the cost is not to be recorded; empty where nothing is known against it."""
    notes: list[str] = field(init=False, default_factory=list)
    """What went another way while values were computed, each once."""
    resumption: Resumption = field(init=False, default_factory=Resumption)
    """What is taken from the checkpoint."""
    sent: Sent = field(init=False, default_factory=Sent)
    """What a cluster has of the check's data."""
    began: float = field(
        init=False, default_factory=lambda: time.perf_counter()
    )  # looked up now: tests have clocks
    _exits: ExitStack = field(init=False, default_factory=ExitStack)

    @classmethod
    def of(cls, options: Options, began: float | None = None, plain_because: str = "") -> Run:
        """The run that some options ask for; its checkpoint is opened later, by `keep_in`.

        Parameters
        ----------
        options : Options
        began : when the check began, by `time.perf_counter`; now, if it is not given
        plain_because : why the cost is not to be recorded, which the report is to say; empty if it may be

        Raises
        ------
        InputError
            For a checkpoint that cannot be one, before anything is evaluated.
        """
        if options.checkpoint is not None:
            require_usable(options.checkpoint)
        began = time.perf_counter() if began is None else began
        budget = Budget(options.budget, options.max_evaluations, began=began)
        run = cls(options.n_jobs, options.backend, budget, progress=Progress(options.progress))
        run.began = began
        run.plain_because = plain_because
        run.note(*[plain_because] * bool(plain_because))
        return run

    def __enter__(self) -> Self:
        self._exits.enter_context(one_blas_thread())
        self._exits.callback(self.sent.forget)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the checkpoint, free what a cluster holds, and give BLAS its threads back."""
        self._exits.__exit__(kind, error, trace)

    def keep_in(self, checkpoint: ValueStore) -> None:
        """Keep finished values there, until the run is left."""
        self.checkpoint = self._exits.enter_context(checkpoint)

    @property
    def evaluations(self) -> int:
        """How many evaluations the check has made so far, in earlier runs too, without those made again."""
        return self.budget.spent

    @property
    def purposes(self) -> dict[str, int]:
        """All evaluations by what they were made for, those made again to compare them with a file too."""
        again = self.resumption.compared
        return self.spent | ({"comparing with the checkpoint": again} if again else {})

    @property
    def resumed(self) -> tuple[str, ...]:
        """What the report says of the values that came from a file."""
        taken = self.resumption.taken
        verb = "value" if taken == 1 else "values"
        return (f"{taken:,} {verb} came from the checkpoint {self.checkpoint.name}",) * bool(taken)

    @property
    def seconds(self) -> float:
        """How long the check has taken so far, with the earlier runs whose checkpoint it goes on from."""
        return self.checkpoint.seconds + time.perf_counter() - self.began

    def expect_report_of(self, blocks: int) -> None:
        """Keep back as much of the seconds as verdict and report of so many blocks take."""
        self.budget.for_report = REPORT_OF_A_BLOCK * blocks

    @property
    def seconds_left(self) -> float:
        """Seconds in which something may still be begun."""
        return self.budget.seconds_left

    def allows(self, seconds: float, evaluations: int) -> bool:
        """Whether there is room for a first look that takes so long, and so many evaluations."""
        return self.budget.allows(seconds, evaluations)

    def spend(self, evaluations: int) -> None:
        """Count evaluations that were made."""
        self.budget.spend(evaluations)

    def foresee(self, seconds: float) -> None:
        """Say so where an evaluation that cannot be left out takes longer than is left of the budget."""
        budget = self.budget
        total = time.perf_counter() - budget.began + seconds
        if budget.seconds is not None and total > budget.seconds + budget.kept_back:
            sentence = (
                f"an evaluation of the cost takes {in_words(seconds)}, and any check makes two: it will take "
                f"about {in_words(total)}, and has a budget of {in_words(budget.seconds)}"
            )
            self.progress.say(sentence)

    def notes_beside(self, others: tuple[str, ...]) -> tuple[str, ...]:
        """What came up, and is not among other notes."""
        gone = self.checkpoint.gone
        return (
            *(note for note in self.notes if note not in others),
            *self._lost,
            *[f"the checkpoint {self.checkpoint.name} {GONE}"] * gone,
        )

    @property
    def _lost(self) -> tuple[str, ...]:
        """What the report says of evaluations without a value."""
        if not self.lost:
            return ()
        times = "1 evaluation" if self.lost == 1 else f"{self.lost:,} evaluations"
        raised = f", because the cost raised {self.raised}" if self.raised else ""
        return (
            f"{times} of {self.evaluations:,} gave no finite value{raised}: derivatives come from the others",
        )

    def lose(self, evaluations: int, raised: str) -> None:
        """Count evaluations that gave no finite value, and keep what the cost raised first."""
        self.lost += evaluations
        self.raised = self.raised or raised

    @property
    def overrun(self) -> tuple[str, ...]:
        """What the report says of a budget that could not be kept."""
        budget, over = self.budget, self.budget.overrun
        if budget.seconds is None or not over:
            return ()
        return (
            f"the check ran over its budget of {in_words(budget.seconds)} by {in_words(over)}: two "
            "evaluations of the cost and a call of the gradient cannot be left out, nor can what has begun "
            "be cut short",
        )

    def charge(self, purpose: str, count: int | None = None) -> None:
        """Put down under a purpose what was evaluated since the last charge, or so many of that."""
        since = self.evaluations - sum(self.spent.values())
        self.spent[purpose] = self.spent.get(purpose, 0) + (since if count is None else count)

    def note(self, *sentences: str) -> None:
        """Keep what the report is to say, each sentence once."""
        self.notes += [sentence for sentence in sentences if sentence not in self.notes]
