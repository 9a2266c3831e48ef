"""A Pico that is not there: MicroPython's `machine`, `rp2`, `time` and `micropython`, with the parts on its pins.

`Chip(...)` is one; `chip.modules()` are what the firmware imports.  Simulated time goes on only when the firmware
looks at a pin, sleeps or clocks its converters.  It runs under CPython and under MicroPython, so it uses neither's
own; and it refuses what the real parts would refuse.
"""

try:  # noqa: SIM105  MicroPython has no such module
    from typing import Any
except ImportError:
    pass

try:
    from tests.firmware_bridge.fake_pio import PIO, Assembler, StateMachine, asm_pio
except ImportError:  # under MicroPython, and in a rehearsal: it lies beside this file
    from fake_pio import PIO, Assembler, StateMachine, asm_pio  # type: ignore[import-not-found, no-redef]

LOOK_US = 50  # what one look at the pins costs: a guess at a Pico's turn of a waiting loop
WRAP = 1 << 30  # of ticks_ms and ticks_us on the RP2040
FRAM_AT, LIGHTS_AT = 0x50, 0x20
GPIO_IN = 0xD0000004


class Hx711:
    """One converter: a conversion shows as a low data line; each rising clock shifts a bit out, the 25th ends it."""

    def __init__(self) -> None:
        self.line = 1
        self.bits = -1  # no conversion yet
        self.pulses = 0
        self.deaf_at = 0  # the pulse it does not hear, once
        self.heard: list[int] = []  # pulses of each reading

    def convert(self, counts: int) -> None:
        if self.pulses:
            self.heard.append(self.pulses)
        self.bits, self.pulses, self.line = counts & 0xFFFFFF, 0, 0

    def start(self) -> None:
        """Anew, as after power-on."""
        self.bits, self.pulses, self.line = -1, 0, 1

    def rise(self) -> None:
        if self.bits < 0:
            return
        if self.deaf_at and self.pulses + 1 == self.deaf_at:
            self.deaf_at = 0
            return
        self.pulses += 1
        self.line = self.bits >> (24 - self.pulses) & 1 if self.pulses <= 24 else 1


class Memory:
    """The registers and the one corner of RAM that the firmware touches."""

    def __init__(self, chip: "Chip") -> None:
        self.chip = chip
        self.words = {0x40058008: 0, 0x4005801C: 0, 0x40064008: 1 << 8, 0x20040000: 0, 0x20040004: 0}

    def __getitem__(self, at: int) -> int:
        if at == GPIO_IN:
            self.chip.pass_us(LOOK_US)
            return self.chip.levels()
        return self.words[at]

    def __setitem__(self, at: int, value: int) -> None:
        if at == 0x4005B000:
            if value == 1 << 30:
                self.chip.watchdog_ms = 0
            return
        if at not in (0x20040000, 0x20040004):
            raise ValueError(hex(at))
        self.words[at] = value


class Chip:
    """`cells` converters and the other parts; `levels`, `analogue`, `fram`, `port` and `sent` are the world's side."""

    def __init__(self, cells: int = 12) -> None:
        self.us = 0
        self.cells = [Hx711() for _ in range(cells)]
        self.level = dict.fromkeys(range(29), 1)  # all inputs are pulled up
        self.word = (1 << 29) - 1  # the same, as the chip has it
        self.rose_us = 0
        for pin in (14, 15, 18):  # but for those with a resistor to ground
            self.put(pin, 0)
        self.directions: dict[int, int] = {}
        self.driven: list[tuple[int, int, int]] = []  # us, pin, level: every change of an output
        self.analogue = {26: 0, 27: 32768}
        self.fram = bytearray(8192)
        self.fram_dead = False
        self.lights = 0xFF
        self.lights_dead = False
        self.lights_asked = 0
        self.arrived = b""  # from the host
        self.sent = b""  # to the host
        self.sending_until_us = 0.0
        self.memory = Memory(self)
        self.watchdog_ms = 0
        self.watchdogs: list[int] = []
        self.fed_us = 0
        self.was_reset = False
        self.on_time: Any = None  # called with us whenever time has passed
        self.machine: StateMachine  # once the firmware has made it
        self.stuck = False  # the program is to stop: Ctrl-C

    def pass_us(self, us: int) -> None:
        self.us += us
        if self.watchdog_ms and self.us - self.fed_us > self.watchdog_ms * 1000:
            self.was_reset = True
            raise Reset("the watchdog bit after %d us" % (self.us - self.fed_us))  # noqa: UP031  as MicroPython has it
        if self.on_time is not None:
            self.on_time(self.us)
        if self.stuck:
            self.stuck = False
            raise KeyboardInterrupt

    def levels(self) -> int:
        word, line = self.word, 1 << 2
        for cell in self.cells:
            word = word | line if cell.line else word & ~line
            line <<= 1
        return word

    def put(self, pin: int, level: int) -> None:
        """The world moves a pin."""
        self.level[pin] = level
        self.word = self.word | 1 << pin if level else self.word & ~(1 << pin)

    def drive(self, pin: int, level: int) -> None:
        """The firmware moves a pin."""
        if self.level[pin] == level:
            return
        self.put(pin, level)
        self.driven.append((self.us, pin, level))
        if pin == 14 and level:
            self.rose_us = self.us
            for cell in self.cells:
                cell.rise()
        elif pin == 14 and self.us - self.rose_us > 60:
            for cell in self.cells:
                cell.start()

    def modules(self) -> dict[str, Any]:
        return {"machine": machine(self), "rp2": rp2(self), "time": Time(self), "micropython": Micropython}


class Reset(BaseException):  # what a watchdog does to a program cannot be caught by it
    pass


class Time:
    def __init__(self, chip: Chip) -> None:
        self.chip = chip

    def ticks_us(self) -> int:
        return self.chip.us % WRAP

    def ticks_ms(self) -> int:
        return self.chip.us // 1000 % WRAP

    def ticks_diff(self, later: int, earlier: int) -> int:
        return (later - earlier + WRAP // 2) % WRAP - WRAP // 2

    def sleep_us(self, us: int) -> None:
        self.chip.pass_us(us)

    def sleep(self, s: float) -> None:
        self.chip.pass_us(int(s * 1_000_000))


class Micropython:
    @staticmethod
    def native(function: Any) -> Any:
        return function


class Module:
    def __init__(self, **names: Any) -> None:
        for name, value in names.items():
            setattr(self, name, value)


def rp2(chip: Chip) -> Module:
    def state_machine(number: int, program: Assembler, freq: int, in_base: Any, sideset_base: Any) -> StateMachine:
        chip.machine = StateMachine(chip, program, freq, in_base, sideset_base)
        return chip.machine

    return Module(PIO=PIO, asm_pio=asm_pio, StateMachine=state_machine)


def machine(chip: Chip) -> Module:  # noqa: C901  a list of parts
    class Pin:
        IN, OUT, PULL_UP = 0, 1, 1

        def __init__(self, number: int, mode: int | None = None, pull: int | None = None, value: Any = None) -> None:
            self.number = number
            if number in (23, 24, 25) or not 0 <= number <= 28:
                raise ValueError("not on a Pico's edge")
            if mode is not None:
                chip.directions[number] = mode
            if value is not None:
                chip.drive(number, value)

        def value(self, level: Any = None) -> Any:
            if level is None:
                return chip.level[self.number]
            if chip.directions.get(self.number) != Pin.OUT:
                raise ValueError("not an output")
            return chip.drive(self.number, int(level))

        def toggle(self) -> None:
            self.value(1 - chip.level[self.number])

    class ADC:
        def __init__(self, number: int) -> None:
            self.number = number

        def read_u16(self) -> int:
            code = chip.analogue[self.number] >> 4
            return code << 4 | code >> 8

    class I2C:
        def __init__(self, number: int, sda: Pin, scl: Pin, freq: int, timeout: int) -> None:
            if (number, sda.number, scl.number) != (0, 16, 17):
                raise ValueError("bad SDA pin")
            self.byte_us, self.limit_us = 9_000_000 // freq, timeout

        def _take(self, n: int) -> None:
            if n * self.byte_us > self.limit_us:
                raise OSError(110)
            chip.pass_us(n * self.byte_us)

        def readfrom_mem(self, address: int, at: int, n: int, addrsize: int) -> bytes:
            self._ask(address, chip.fram_dead, addrsize)
            self._take(n + 4)
            return bytes(chip.fram[at : at + n])

        def writeto_mem(self, address: int, at: int, data: bytes, addrsize: int) -> None:
            self._ask(address, chip.fram_dead, addrsize)
            self._take(len(data) + 3)
            chip.fram[at : at + len(data)] = data

        def writeto(self, address: int, data: bytes) -> None:
            chip.lights_asked += 1
            if address != LIGHTS_AT or chip.lights_dead:
                raise OSError(5)
            self._take(2)
            chip.lights = data[0]

        def _ask(self, address: int, dead: bool, addrsize: int) -> None:  # noqa: FBT001
            if address != FRAM_AT or dead:
                raise OSError(5)
            if addrsize != 16:
                raise ValueError("the chip has 13 bits of address")

    class UART:
        def __init__(self, number: int, baud: int, tx: Pin, rx: Pin, rxbuf: int, txbuf: int, timeout: int) -> None:
            if (number, tx.number, rx.number, timeout) != (0, 0, 1, 0):
                raise ValueError("bad TX pin")
            self.byte_us, self.txbuf = 10_000_000 / baud, txbuf

        def any(self) -> int:
            return len(chip.arrived)

        def read(self, n: int) -> bytes:
            data, chip.arrived = chip.arrived[:n], chip.arrived[n:]
            return data

        def write(self, data: bytes) -> int:
            begin = max(chip.us, chip.sending_until_us)
            if (begin - chip.us) / self.byte_us + len(data) > self.txbuf + 32:
                raise RuntimeError("would wait: more than the UART's buffers hold")
            chip.sending_until_us = begin + len(data) * self.byte_us
            chip.sent += data
            return len(data)

    class WDT:
        def __init__(self, timeout: int) -> None:
            if timeout > 8388:
                raise ValueError("timeout exceeds 8388")
            chip.watchdog_ms = timeout
            chip.watchdogs.append(timeout)
            chip.fed_us = chip.us

        def feed(self) -> None:
            chip.fed_us = chip.us

    return Module(Pin=Pin, ADC=ADC, I2C=I2C, UART=UART, WDT=WDT, mem32=chip.memory, unique_id=lambda: bytes(range(8)))
