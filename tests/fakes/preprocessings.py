"""Preprocessings in memory, over the fakes of runs and data."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from kqi_hub.domain.errors import Conflict
from kqi_hub.domain.preprocessings import (
    NewPreprocessing,
    PreprocessingChange,
    PreprocessingFilter,
    locked,
    no_preprocessing,
)
from kqi_hub.domain.runs import Preprocessing, Run
from tests.fakes.runs import FakeRunStore

_RECIPE = ("command", "environment", "image", "source")


@dataclass
class FakePreprocessingStore:
    """A PreprocessingStore; whether one has been run, `runs` says."""

    runs: FakeRunStore
    known: dict[int, Preprocessing] = field(default_factory=dict)
    numbers: int = 0

    def create(self, new: NewPreprocessing, person: str, now: float) -> Preprocessing:
        self.numbers += 1
        self.known[self.numbers] = Preprocessing(
            self.numbers, new.tenant, new.name, new.memo, new.command, new.environment,
            new.image, new.source, new.shape, False, person, now, now,
        )  # fmt: skip
        return self.known[self.numbers]

    def one(self, preprocessing_id: int) -> Preprocessing | None:
        found = self.known.get(preprocessing_id)
        return found and replace(found, is_locked=bool(self._runs(found.id)))

    def search(
        self, wanted: PreprocessingFilter
    ) -> tuple[tuple[Preprocessing, ...], int]:
        found = [
            self._must(number)
            for number, one in self.known.items()
            if (wanted.tenants is None or one.tenant in wanted.tenants)
            and wanted.id.fits(one.id)
            and wanted.name.fits(one.name)
            and wanted.memo.fits(one.memo)
            and wanted.created_by.fits(one.created_by)
        ]
        found.sort(
            key=lambda one: (getattr(one, wanted.sort), one.id),
            reverse=wanted.is_descending,
        )
        end = wanted.offset + wanted.limit
        return tuple(found[wanted.offset : end]), len(found)

    def change(
        self, preprocessing_id: int, change: PreprocessingChange, now: float
    ) -> Preprocessing:
        found = self._must(preprocessing_id)
        said = {
            name: value
            for name in ("name", "memo", "shape", *_RECIPE)
            if (value := getattr(change, name)) is not None
        }
        changed = replace(found, **said, changed_at=now)
        if changed.source is not None and not changed.source.url:
            changed = replace(changed, source=None)
        recipes = [[getattr(one, name) for name in _RECIPE] for one in (found, changed)]
        if found.is_locked and recipes[0] != recipes[1]:
            raise locked(preprocessing_id)
        self.known[preprocessing_id] = changed
        return self._must(preprocessing_id)

    def delete(self, preprocessing_id: int) -> None:
        if self._must(preprocessing_id).is_locked:
            raise Conflict("Its runs are still there.", "Delete its runs first.")
        del self.known[preprocessing_id]

    def done_on(
        self, preprocessing_id: int, data_ids: Collection[int]
    ) -> Mapping[int, int]:
        runs = self._runs(preprocessing_id)
        return {one.data or 0: one.id for one in runs if one.data in data_ids}

    def _runs(self, number: int) -> list[Run]:
        runs = self.runs.runs.values()
        return [one for one in runs if one.preprocessing == number]

    def _must(self, number: int) -> Preprocessing:
        found = self.one(number)
        if found is None:
            raise no_preprocessing()
        return found
