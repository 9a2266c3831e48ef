"""A state machine of the RP2040's PIO and its assembler, for the few instructions the firmware uses.

Written from the data sheet; what it does not know it refuses.  Runs under CPython and under MicroPython.
"""

try:  # noqa: SIM105  MicroPython has no such module
    from typing import Any
except ImportError:
    pass

CYCLES_A_US = 5  # at the speed the firmware asks for


class Assembler:
    """The few instructions the firmware uses, as the RP2040's data sheet encodes them; one bit of side-set."""

    names = {"pins": 0, "x": 1, "y": 2, "null": 3, "osr": 7, "block": 0x20, "x_dec": 2}  # noqa: RUF012  never changed

    def __init__(self, push_thresh: int) -> None:
        self.codes: list[int] = []
        self.labels: dict[str, int] = {}
        self.jumps: list[tuple[int, str]] = []
        self.target, self.top, self.push_thresh = 0, 0, push_thresh

    def words(self) -> dict[str, Any]:
        words: dict[str, Any] = dict(self.names)
        for name in ("wrap_target", "wrap", "label", "pull", "mov", "nop", "in_", "jmp"):
            words[name] = getattr(self, name)
        return words

    def wrap_target(self) -> None:
        self.target = len(self.codes)

    def wrap(self) -> None:
        self.top = len(self.codes) - 1

    def label(self, name: str) -> None:
        self.labels[name] = len(self.codes)

    def pull(self, block: int) -> "Assembler":
        return self._code(0x8080 | block)

    def mov(self, to: int, source: int) -> "Assembler":
        return self._code(0xA000 | to << 5 | source)

    def nop(self) -> "Assembler":
        return self.mov(2, 2)

    def in_(self, source: int, bits: int) -> "Assembler":
        return self._code(0x4000 | source << 5 | bits & 31)

    def jmp(self, condition: int, label: str) -> "Assembler":
        self.jumps.append((len(self.codes), label))
        return self._code(condition << 5)

    def side(self, level: int) -> "Assembler":
        self.codes[-1] |= level << 12
        return self

    def __getitem__(self, delay: int) -> "Assembler":
        if not 0 <= delay < 16:
            raise ValueError("with a side-set bit a delay is at most 15")
        self.codes[-1] |= delay << 8
        return self

    def done(self) -> "Assembler":
        for at, label in self.jumps:
            self.codes[at] |= self.labels[label]
        return self

    def _code(self, code: int) -> "Assembler":
        self.codes.append(code)
        return self


def asm_pio(sideset_init: int, in_shiftdir: int, autopush: bool, push_thresh: int) -> Any:  # noqa: FBT001  rp2's
    if (sideset_init, in_shiftdir, autopush) != (PIO.OUT_LOW, PIO.SHIFT_LEFT, True):
        raise ValueError("not imitated")

    def translate(program: Any) -> Assembler:
        assembler = Assembler(push_thresh)
        names = program.__globals__
        kept = dict(names)
        names.update(assembler.words())
        try:
            program()
        finally:
            names.clear()
            names.update(kept)
        return assembler.done()

    return translate


class PIO:
    OUT_LOW = 2
    SHIFT_LEFT = 0


class StateMachine:
    """Runs the program's words a cycle at a time while the firmware waits for its answer."""

    def __init__(self, chip: Any, program: Assembler, freq: int, in_base: Any, sideset_base: Any) -> None:
        if freq != 1_000_000 * CYCLES_A_US:
            raise ValueError("not imitated")
        self.chip, self.program = chip, program
        self.base, self.clock = in_base.number, sideset_base.number
        self.running = False
        self.fed: list[int] = []
        self.queue: list[int] = []
        self.at = program.target
        self.x = self.osr = self.isr = self.count = 0
        self.shifted = False
        self.cycle = 0

    def active(self, on: int) -> None:
        self.running = bool(on)

    def put(self, word: int) -> None:
        if len(self.fed) == 4:
            raise RuntimeError("would wait for ever")
        self.fed.append(word)

    def get(self, into: Any) -> None:
        for place in range(len(into)):
            while not self.queue:
                self.step()
            into[place] = self.queue.pop(0)

    def step(self) -> None:
        """One instruction, or one cycle of waiting in it."""
        if not self.running:
            raise RuntimeError("would wait for ever")
        code = self.program.codes[self.at]
        self.chip.drive(self.clock, code >> 12 & 1)
        before = self.cycle // CYCLES_A_US
        self.cycle += 1 if self._stalls(code >> 13, code) else 1 + (code >> 8 & 15)
        if self.cycle // CYCLES_A_US > before:
            self.chip.pass_us(self.cycle // CYCLES_A_US - before)

    def _stalls(self, kind: int, code: int) -> bool:
        following = self.program.target if self.at == self.program.top else self.at + 1
        if kind == 4:  # pull
            if not self.fed:
                return True
            self.osr = self.fed.pop(0)
        elif kind == 5:  # mov
            if code & 0xFF == 1 << 5 | 7:
                self.x = self.osr
            elif code & 0xFF != 2 << 5 | 2:
                raise ValueError("not imitated")
        elif kind == 2:  # in: it waits, having shifted, until its word finds room
            if not self.shifted:
                bits = code & 31
                source = self.chip.levels() >> self.base if code >> 5 & 7 == 0 else 0
                self.isr = (self.isr << bits | source & (1 << bits) - 1) & 0xFFFFFFFF
                self.count += bits
            self.shifted = self.count >= self.program.push_thresh and len(self.queue) == 4
            if self.shifted:
                return True
            if self.count >= self.program.push_thresh:
                self.queue.append(self.isr)
                self.isr = self.count = 0
        elif kind == 0:  # jmp x--
            if self.x:
                following = code & 31
            self.x = (self.x - 1) & 0xFFFFFFFF
        else:
            raise ValueError("not imitated")
        self.at = following
        return False
