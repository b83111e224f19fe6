"""A job's parameter sets, and the numbers of their frames. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from blender_addon import tiling
from farm.protocol.jobs import ParameterSet, SetView
from farm.words.errors import BadFrameRange
from farm.words.ranges import FrameRange


@dataclass(frozen=True, slots=True)
class Portion:
    """Frames of one set (empty: of none): their numbers are the renderer's, plus `shift`."""

    name: str
    shift: int
    pictures: FrameRange

    @property
    def numbers(self) -> FrameRange:
        """The numbers of the frames, their keys in addresses."""
        return self.pictures.shifted(self.shift)


class JobSets(BaseModel):
    """What a job renders: pictures, and with which sets.

    Args:
        frames: the pictures that were asked for.
        stride: between the numbers of a picture in one set and in the next, as between those of tiles (20007 is picture
            7 of the third set); 0: there are no named sets.
        sets: the sets.
    """

    model_config = ConfigDict(frozen=True)

    frames: str
    stride: int = 0
    sets: list[ParameterSet] = []

    @classmethod
    def of(cls, frames: str, sets: Sequence[ParameterSet]) -> JobSets:
        """Return what a submission asks for; the numbers leave room for pictures that come later."""
        named = [one for one in sets if one.name]
        highest = max(FrameRange.pictures(text).last for text in (frames, *(s.frames for s in named if s.frames)))
        return cls(frames=frames, stride=tiling.step(highest) if named else 0, sets=list(sets))

    @classmethod
    def stored(cls, frames: str, text: str | None) -> JobSets:
        """Return those of a job's row."""
        return cls(frames=frames) if text is None else cls.model_validate_json(text)

    def portions(self) -> list[Portion]:
        """Return the frames, set by set."""
        if not self.stride:
            return [Portion("", 0, FrameRange.pictures(self.frames))]
        usual = FrameRange.pictures(self.frames)
        named = enumerate(one for one in self.sets if one.name)
        return [
            Portion(one.name, place * self.stride, FrameRange.pictures(one.frames) if one.frames else usual)
            for place, one in named
        ]

    def whole(self) -> FrameRange:
        """Return the numbers of all frames."""
        portions = self.portions()
        if len(portions) == 1:
            return portions[0].numbers
        return FrameRange.of(number for portion in portions for number in portion.numbers)

    def more(self, pictures: FrameRange) -> JobSets:
        """Return it with further pictures, in every set that has all of the job's.

        Raises:
            BadFrameRange: no set would have them, or their numbers are those of another set's frames.
        """
        if self.stride and all(one.frames for one in self.sets if one.name):
            raise BadFrameRange("Each set of this job names its own frames.", hint="Make a new job for more.")
        if self.stride and pictures.last >= self.stride:
            raise BadFrameRange(f"In this job with sets, pictures end at {self.stride - 1:,}.", hint="Make a new job.")
        whole = FrameRange.of([*FrameRange.pictures(self.frames), *pictures])
        return self.model_copy(update={"frames": str(whole)})

    def growing(self) -> list[Portion]:
        """Return the frames of those sets that have all pictures of the job, later ones too."""
        narrow = {one.name for one in self.sets if one.name and one.frames}
        return [portion for portion in self.portions() if portion.name not in narrow]

    def views(self) -> Iterator[SetView]:
        """Yield the sets, as people see them."""
        numbers = {portion.name: str(portion.numbers) for portion in self.portions()}
        for one in self.sets:
            yield SetView(name=one.name, frames=numbers.get(one.name) or one.frames or "", settings=one.settings)
