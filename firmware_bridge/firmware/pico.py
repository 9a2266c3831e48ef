"""The pin layer of a real board: a Raspberry Pi Pico (RP2040) wired as README.md beside this file says.

It reads switches, converters and thermometer, moves bytes and drives what the loop tells it to.  It decides
nothing: relay and pump do what was last asked, and the pump only ever does one edge for one call.
"""

import os
from time import ticks_diff, ticks_ms, ticks_us  # type: ignore[attr-defined]  # MicroPython's

from machine import ADC, I2C, UART, WDT, Pin, mem32, unique_id

from . import codes as c
from .fitted_by import Fitted
from .fram import Fram
from .hx711 import Converters
from .lights import Lights
from .loop import Pins as PinLayer
from .memory import Nv
from .switches import Inputs

# Pins by their GP number; the rest of the 26 are the twelve data lines from FIRST_CELL on.
UART_TX, UART_RX = 0, 1
FIRST_CELL = 2
CELL_CLOCK = 14
RELAY, PUMP = 15, 18
SDA, SCL = 16, 17
DOOR_A, DOOR_B, BOLT = 19, 20, 21  # each to ground by its contact, pulled up
SERVICE = 22  # bridged to ground: do not start
COIL, PROBE = 26, 27  # analogue
HOUSING = 28
SWITCHES = 1 << DOOR_A | 1 << DOOR_B | 1 << BOLT | 1 << HOUSING

BAUD = 115200
BYTE_US = 87  # ten bits
QUEUE_US = 3000  # what may wait in the UART: a door edge never queues behind more
I2C_HZ = 400_000  # a PCF8574 in place of the PCA8574 bears no more than 100_000
I2C_LIMIT_US = 10_000  # a bus that hangs must not cost the watchdog its patience
WATCHDOG_MS = 250
BOOT_MS = 8000  # from here to the first turn of the loop; the longest the chip can
COIL_ON, COIL_OFF = 2400, 1200  # of 65535 at 3.3 V: 0.26 A and 0.13 A through 0.47 ohm

# RP2040 registers (data sheet 2.3.1.7, 2.12.8, 4.7.6).
GPIO_IN = 0xD0000004
CHIP_RESET = 0x40064008
HAD_POR = 1 << 8
WATCHDOG_REASON = 0x40058008  # bit 0 the timer ran out, bit 1 software asked for it
WATCHDOG_SCRATCH4 = 0x4005801C
WATCHDOG_WAS_ARMED = 0x6AB73121  # what the SDK leaves there when a watchdog is armed, and a mere reboot does not
WATCHDOG_CTRL_CLEAR = 0x4005B000
WATCHDOG_ENABLE = 1 << 30

# Eight bytes at the far end of the C stack, which nobody clears and no stack has reached while the board lives.
MARK_AT = 0x20040000
MARK = (0x2C0FFEE5, 0x13F0011A)


def reset_cause(memory: dict[int, int]) -> int:
    """Why the chip started, of the codes of PROTOCOL.md; leaves the mark for the next time.

    The RP2040 has one bit for power-on and brown-out together.  Memory tells them apart: a dip too short to
    lose our mark was a brown-out.  A longer one passes for a power-on, which it is.
    """
    reason = memory[WATCHDOG_REASON]
    marked = (memory[MARK_AT], memory[MARK_AT + 4]) == MARK
    memory[MARK_AT], memory[MARK_AT + 4] = MARK
    if reason & 1 and memory[WATCHDOG_SCRATCH4] == WATCHDOG_WAS_ARMED:
        return c.BY_WATCHDOG
    if reason or not memory[CHIP_RESET] & HAD_POR:
        return c.BY_OTHER
    return c.BY_BROWN_OUT if marked else c.POWER_ON


def watchdog_off() -> None:
    """For a technician at the console, with the lock already off."""
    mem32[WATCHDOG_CTRL_CLEAR] = WATCHDOG_ENABLE


class Pins(PinLayer):
    """What `loop.run` wants.  From its making on, a watchdog runs; from the first `feed` on, a short one."""

    def __init__(self, fitted: Fitted) -> None:
        self._relay = Pin(RELAY, Pin.OUT, value=0)
        self._pump = Pin(PUMP, Pin.OUT, value=0)
        self.cause = reset_cause(mem32)
        self._watchdog = WDT(timeout=BOOT_MS)
        self._short = False
        self._last_ms, self._last_us = ticks_ms(), ticks_us()
        self._ms: int = self._last_ms
        self._us: int = self._ms * 1000
        for number in (DOOR_A, DOOR_B, BOLT, HOUSING):
            Pin(number, Pin.IN, Pin.PULL_UP)
        self._seen = 0
        self._uart = UART(0, BAUD, tx=Pin(UART_TX), rx=Pin(UART_RX), rxbuf=1024, txbuf=256, timeout=0)
        self._sent_by = ticks_us()  # when the UART will have sent all it has
        bus = I2C(0, sda=Pin(SDA), scl=Pin(SCL), freq=I2C_HZ, timeout=I2C_LIMIT_US)
        self.nv: Nv = Fram(bus)
        self._lights = Lights(bus)
        self._coil_on = False
        self._coil, self._probe = ADC(COIL), ADC(PROBE)
        self._probe_sum, self._probe_reads, self._probe_code = 0, 0, 0
        for _ in range(16):
            self._read_probe()
        self._cells = Converters(FIRST_CELL, fitted.zones, CELL_CLOCK, fitted.rate_hz, self.now_ms())
        self.board_id = unique_id()

    def now_ms(self) -> int:
        """Since boot, never wrapping; to be called at least once in six days."""
        now = ticks_ms()
        self._ms += ticks_diff(now, self._last_ms)
        self._last_ms = now
        return self._ms

    def now_us(self) -> int:
        """The same in us; to be called at least once in eight minutes."""
        now = ticks_us()
        self._us += ticks_diff(now, self._last_us)
        self._last_us = now
        return self._us

    def wait(self, ms: int) -> None:
        """Until something came or `ms` are over."""
        until = self.now_ms() + ms
        while True:
            levels = mem32[GPIO_IN]
            now = self.now_ms()
            if levels & SWITCHES != self._seen or self._cells.due(levels, now) or self._uart.any() or now >= until:
                return

    def inputs(self) -> Inputs:
        levels = mem32[GPIO_IN]
        self._seen = levels & SWITCHES
        code = self._coil.read_u16()
        self._coil_on = code >= (COIL_OFF if self._coil_on else COIL_ON)
        self._read_probe()
        return Inputs(
            door_a_shut=not levels >> DOOR_A & 1,
            door_b_shut=bool(levels >> DOOR_B & 1),
            bolt_home=not levels >> BOLT & 1,
            housing_open=bool(levels >> HOUSING & 1),
            coil_on=self._coil_on,
            probe=self._probe_code,
        )

    def samples(self) -> list[tuple[int, list[int | None], int]]:
        """At most one: the converters keep only their last conversion."""
        levels, now = mem32[GPIO_IN], self.now_ms()
        at_us = self.now_us()
        if not self._cells.due(levels, now):
            return []
        raws, slips = self._cells.read(levels, now)
        return [(at_us, raws, slips)]

    def relay(self, on: bool) -> None:
        self._relay.value(on)

    def pump(self) -> None:
        self._pump.toggle()

    def lamp(self, mode: int) -> None:
        self._lights.lamp(mode, self.now_ms())

    def buzzer(self, pattern: int) -> None:
        self._lights.buzzer(pattern, self.now_ms())

    def feed(self) -> None:
        if not self._short:
            self._watchdog = WDT(timeout=WATCHDOG_MS)
            self._short = True
        self._watchdog.feed()
        self._lights.step(self.now_ms())

    def uart_read(self) -> bytes:
        n = self._uart.any()
        return self._uart.read(min(n, 256)) or b"" if n else b""

    def uart_room(self) -> int:
        """Bytes that will have left within QUEUE_US: there is no flow control, so time alone tells."""
        now = ticks_us()
        pending: int = ticks_diff(self._sent_by, now)
        if pending < 0:
            self._sent_by = now
            pending = 0
        return max(0, (QUEUE_US - pending) // BYTE_US)

    def uart_write(self, data: bytes) -> None:
        self.uart_room()  # brings `_sent_by` up to date
        self._uart.write(data)
        self._sent_by += len(data) * BYTE_US

    def entropy(self, n: int) -> bytes:
        return os.urandom(n)

    def _read_probe(self) -> None:
        self._probe_sum += self._probe.read_u16() >> 4  # the converter has 12 bits
        self._probe_reads += 1
        if self._probe_reads == 16:
            self._probe_code, self._probe_sum, self._probe_reads = self._probe_sum, 0, 0
