"""Three relays, each with a way of its own to the Redis that they share: killed, frozen, parted, brought to another master."""

import asyncio
import contextlib
import random
import signal
import time

from clock_shift import ClockShift
from control_peer import ControlPeer, NoAnswer
from proxy import FaultProxy
from redis_process import Redis
from relay_process import RelayProcess, is_sanitized

TOGETHER_SECONDS = 40.0
ASK_SECONDS = 3.0
LOOK_SECONDS = 0.02
HEARD = 0.5  # seconds after a disturbance in which its last effects are seen
STEP = 0.05  # seconds
SETTLE_SECONDS = 4.0  # until the relays have agreed on an epoch, and clients are back
BEGINS_ANEW = 3  # exit code of a relay whose cluster goes on under another epoch


class Machine:
    """A relay and its way to Redis. Whoever starts or ends it holds `lock`."""

    def __init__(self, name, options, directory, clock):
        self.name, self.lock = name, asyncio.Lock()
        self.relay, self.way = None, None
        self.starts, self.frozen = 0, False
        self._options, self._directory, self._clock = options, directory, clock

    async def begin(self, redis_port):
        self.way = await FaultProxy(redis_port).start()
        await self.start()

    async def start(self):
        environment = self._clock.environment() if self._clock else {}
        self.relay = await asyncio.to_thread(
            RelayProcess, "--cluster", f"redis://127.0.0.1:{self.way.port}", *self._options,
            runtime_dir=self._directory, env=environment, admin=False)
        self.starts += 1

    async def end(self, kill):
        self.thaw()
        code = await asyncio.to_thread(self.relay.kill if kill else self.relay.stop)
        assert kill or code in (0, BEGINS_ANEW), f"relay {self.name} ended with {code}:\n{self.relay.log()}"

    def freeze(self):
        self.frozen = True
        self.relay.signal(signal.SIGSTOP)

    def thaw(self):
        self.frozen = False
        self.relay.signal(signal.SIGCONT)

    @property
    def control(self):
        return self.relay.ready["control"][0]

    async def ask(self, query, seconds=ASK_SECONDS):
        """The answer, or None."""
        peer = ControlPeer(self.control)
        try:
            return await asyncio.to_thread(peer.ask, query, seconds)
        except NoAnswer:
            return None
        finally:
            peer.close()

    async def dispose(self):
        if self.relay:
            await asyncio.to_thread(self.relay.dispose)
        if self.way:
            await self.way.stop()


class Machines:
    def __init__(self, plan, directory):
        self._plan, self._directory = plan, directory
        self._servers, self._later, self._marks = [], [], 0
        self._supervisor = None
        self.disturbed = []  # instants, close together, at which something was wrong
        self.all = [Machine(name, plan.options, self._folder(name), self._clock(name, seconds))
                    for name, seconds in zip("abc", plan.clocks)]

    def _folder(self, name):
        folder = self._directory / name
        folder.mkdir(mode=0o700)
        return folder

    def _clock(self, name, seconds):
        if not seconds or not ClockShift.is_possible() or is_sanitized():
            return None
        clock = ClockShift(self._directory / name)
        clock.jump(seconds)
        return clock

    def __getitem__(self, name):
        return next(machine for machine in self.all if machine.name == name)

    @property
    def redis(self):
        return self._servers[-1]

    @property
    def restarts(self):
        return sum(machine.starts for machine in self.all) - len(self.all)

    def anybody(self):
        """The port of one that lives, as far as is known."""
        return random.choice([machine.relay.port for machine in self.all if machine.relay])

    async def begin(self):
        await self._serve()
        for machine in self.all:
            await machine.begin(self.redis.port)
        self._supervisor = asyncio.create_task(self._supervise())

    async def _serve(self):
        self._servers.append(await asyncio.to_thread(Redis, *self._plan.redis_options))

    async def _supervise(self):
        """Starts those again that have ended because their cluster began anew."""
        while True:
            for machine in self.all:
                async with machine.lock:
                    code = machine.relay.exit_code()
                    if code is not None:
                        assert code == BEGINS_ANEW, f"relay {machine.name} ended with {code}:\n{machine.relay.log()}"
                        await asyncio.to_thread(machine.relay.wait)
                        machine.way.resume()  # one that cannot reach Redis does not start
                        await machine.start()
            self._note_disturbances()
            await asyncio.sleep(LOOK_SECONDS)

    def check(self):
        if self._supervisor.done():
            self._supervisor.result()
        for task in list(self._later):
            if task.done():
                self._later.remove(task)
                task.result()

    async def end(self):
        for task in (*self._later, *filter(None, [self._supervisor])):
            task.cancel()
        for machine in self.all:
            with contextlib.suppress(ProcessLookupError, AttributeError):
                machine.thaw()
        for server in self._servers:
            server.resume()
        found = [one for one in await asyncio.gather(*(machine.dispose() for machine in self.all), return_exceptions=True)
                 if one]
        for server in self._servers:
            await asyncio.to_thread(server.dispose)
        if found:
            raise found[0]

    # What was wrong when.

    def disturb(self, seconds=0.0):
        """Something is wrong from now on for so long; what follows of it comes a little later."""
        now = time.time()
        self.disturbed += [now + step * STEP for step in range(int((seconds + HEARD) / STEP) + 1)]

    def _note_disturbances(self):
        if self._later:
            self.disturb()

    def _after(self, seconds, what):
        """Comes later, or earlier where all are to be there."""
        async def wait():
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), seconds)
            await what()
            self.disturb()
        if not self._later:
            self._hurry = asyncio.Event()
        self._later.append(asyncio.create_task(wait()))

    async def everybody_is_here(self):
        """Ends what is wrong, and waits until all relays have the same."""
        if self._later:
            self._hurry.set()
            await asyncio.gather(*self._later)
            self._later.clear()
        for machine in self.all:
            machine.way.delay(0.0)
        end = time.monotonic() + TOGETHER_SECONDS
        while not await self._have_the_same():
            self.check()
            assert time.monotonic() < end, "the relays do not come together\n" + self.logs()

    def logs(self):
        return "\n".join(f"{machine.name}: {machine.relay.log()[-3000:]}" for machine in self.all)

    async def _have_the_same(self):
        self._marks += 1
        mark = await self.all[self._marks % 3].ask(
            {"op": "broadcast", "type": "app:mark", "data": {"by": None}, "id": f"mark {self._marks}"})
        if not mark or not mark["ok"]:
            return False
        for machine in self.all:
            end = time.monotonic() + ASK_SECONDS
            while True:
                told = await machine.ask({"op": "state", "channel": "never"})
                if told and told["epoch"] != mark["epoch"]:
                    return False
                told = told and await machine.ask({"op": "state"})
                if told and told["epoch"] == mark["epoch"] and told["seq"] >= mark["seq"]:
                    break
                if time.monotonic() > end:
                    return False
                await asyncio.sleep(LOOK_SECONDS)
        return True

    # Faults.

    async def kill_relay(self, fault):
        await self._restart(self[fault.target], kill=True)

    async def stop_relay(self, fault):
        await self._restart(self[fault.target], kill=False)

    async def _restart(self, machine, kill):
        machine.way.resume()  # one that cannot reach Redis does not start
        async with machine.lock:
            if machine.relay.exit_code() is None:
                await machine.end(kill)
            await machine.start()
        self.disturb()

    async def freeze_relay(self, fault):
        machine = self[fault.target]
        async with machine.lock:
            if machine.frozen or machine.relay.exit_code() is not None:
                return
            machine.freeze()

        async def thaw():
            machine.thaw()
        self._after(fault.amount, thaw)

    async def part_relay(self, fault):
        """Nothing passes between it and Redis, and nobody is told."""
        way = self[fault.target].way
        way.stall()

        async def resume():
            way.resume()
        self._after(fault.amount, resume)

    async def cut_relay(self, fault):
        self[fault.target].way.reset()

    async def abandon_relay(self, fault):
        """Its connections stay open, and nothing passes them any more."""
        way = self[fault.target].way
        way.abandon()

        async def resume():
            way.resume()
        self._after(0.0, resume)

    async def slow_relay(self, fault):
        self[fault.target].way.delay(fault.amount)

    async def freeze_redis(self, fault):
        server = self.redis
        server.pause()

        async def resume():
            server.resume()
        self._after(fault.amount, resume)

    async def slow_redis(self, fault):
        await asyncio.to_thread(self.redis.try_cli, "CLIENT", "PAUSE", str(int(fault.amount * 1000)), "ALL")
        self.disturb(fault.amount)

    async def end_connections(self, fault):
        await asyncio.to_thread(self.redis.try_cli, "CLIENT", "KILL", "TYPE", "normal")

    # Those that may take entries back.

    async def _ready_to_lose(self):
        if not self._plan.loses:
            await self.everybody_is_here()
        else:
            for server in self._servers:
                server.resume()
        self.disturb(SETTLE_SECONDS)

    async def restart_redis(self, fault):
        await self._ready_to_lose()
        await asyncio.to_thread(self.redis.restart)

    async def flush_redis(self, fault):
        await self._ready_to_lose()
        await asyncio.to_thread(self.redis.cli, "FLUSHALL")

    async def fail_over(self, fault):
        old = self.redis
        old.resume()
        new = await self._replica()
        if fault.amount == "without the tail":
            await asyncio.to_thread(new.cut_replica)
        await self._ready_to_lose()
        await asyncio.to_thread(old.kill)
        await asyncio.to_thread(new.promote)
        self._move(self.all)

    async def _replica(self):
        old = self.redis
        await self._serve()
        await asyncio.to_thread(self.redis.replicate, old)
        return self.redis

    def _move(self, machines):
        for machine in machines:
            machine.way.target_port = self.redis.port
            machine.way.reset()

    async def part_masters(self, fault):
        """The replica is master, too, and one relay stays with the old one."""
        old, alone = self.redis, self[fault.target]
        old.resume()
        new = await self._replica()
        await self._ready_to_lose()
        await asyncio.to_thread(new.promote)
        self._move([machine for machine in self.all if machine is not alone])

        async def heal():
            await asyncio.to_thread(old.kill)
            alone.way.target_port = self.redis.port
            alone.way.reset()
        self._after(fault.amount, heal)
