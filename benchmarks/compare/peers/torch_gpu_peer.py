"""PyTorch on a GPU, in every form in which it does a case; torch_gpu.py asks and explains."""

from __future__ import annotations

import argparse
import gc
import math
import platform
import statistics
import time
from dataclasses import dataclass

import torch
from torch import nn

SEED = 20261122
RATE = 0.1
INITIAL = 0.01  # weights of a pass, as in ossau_worker
WIDE, ENTRIES = 1_000_000, 40  # features, and those of a sparse row
CHUNK_BYTES = 16e6  # a part of the L2 cache of any GPU of today
WARM_UP_S, SAMPLE_S = 0.2, 0.005
TOLERANCE = 1e-3  # of the largest number; float32 sums in other orders differ by far less


@dataclass(frozen=True)
class Case:
    kind: str  # gradient or step
    layout: str  # dense or sparse
    features: int
    batch: int | None = None

    @property
    def name(self) -> str:
        rows = "" if self.batch is None else f"rows={self.batch}/"
        return f"{self.kind}/{self.layout}/{rows}d={self.features}"


@dataclass(frozen=True)
class Form:
    name: str
    mode: str | None = None  # of torch.compile; None: not compiled
    graph: bool = False  # captured by torch.cuda.graph
    chunks: bool = False
    sparse: bool = False  # gradients


FORMS = (
    Form("eager"),
    Form("compile", mode="default"),
    Form("CUDA graph", graph=True),
    Form("compile, reduce-overhead", mode="reduce-overhead"),
    Form("compile in a CUDA graph", mode="default", graph=True),
)
EAGER = FORMS[0]
CHUNKED = (
    Form("eager, chunks", chunks=True),
    Form("CUDA graph, chunks", graph=True, chunks=True),
    Form("compile in a CUDA graph, chunks", mode="default", graph=True, chunks=True),
)


def forms_of(case: Case, device: str) -> list[Form]:
    forms = list(FORMS) + (list(CHUNKED) if case.kind == "gradient" else [])
    if case.layout == "sparse":
        forms = [
            Form(f"sparse={sparse}, {form.name}", form.mode, form.graph, sparse=sparse)
            for sparse in (False, True)
            for form in FORMS
        ]
    if device == "cpu":
        forms = [form for form in forms if not form.graph and form.mode != "reduce-overhead"]
    return forms


def labels_of(margins: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    draw = torch.rand(margins.shape, generator=generator, device=margins.device)
    return (draw < torch.sigmoid(margins)).float()


class DenseRows:
    def __init__(self, count: int, features: int, device: str):
        generator = torch.Generator(device).manual_seed(SEED)
        self.count, self.features = count, features
        self.values = torch.randn(count, features, generator=generator, device=device)
        truth = torch.randn(features, generator=generator, device=device) / math.sqrt(features)
        self.y = labels_of(self.values @ truth, generator)

    def model(self, sparse: bool) -> nn.Module:
        return DenseModel(self.features).to(self.values.device)


class SparseRows:
    def __init__(self, count: int, device: str):
        generator = torch.Generator(device).manual_seed(SEED)
        self.count, self.features = count, WIDE

        def draw() -> torch.Tensor:
            u = torch.rand(count, ENTRIES, generator=generator, device=device)
            return torch.pow(10.0, 6 * u).to(torch.int32).clamp_(max=WIDE - 1)

        index = draw().sort(dim=1).values
        while True:  # a row's features differ: what was drawn twice is drawn again
            again = torch.zeros_like(index, dtype=torch.bool)
            again[:, 1:] = index[:, 1:] == index[:, :-1]
            if not again.any():
                break
            index = torch.where(again, draw(), index).sort(dim=1).values
        self.values = index
        truth = torch.randn(WIDE, generator=generator, device=device) / math.sqrt(ENTRIES)
        self.y = labels_of(truth[index].sum(dim=1), generator)

    def model(self, sparse: bool) -> nn.Module:
        return BagModel(WIDE, sparse).to(self.values.device)


class DenseModel(nn.Module):
    def __init__(self, features: int):
        super().__init__()
        self.linear = nn.Linear(features, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x).squeeze(1)


class BagModel(nn.Module):
    def __init__(self, features: int, sparse: bool):
        super().__init__()
        self.bag = nn.EmbeddingBag(features, 1, mode="sum", sparse=sparse)
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, index: torch.Tensor) -> torch.Tensor:
        return self.bag(index).squeeze(1) + self.bias


Rows = DenseRows | SparseRows


class Work:
    """run() does `units` passes or steps; body() is the part that a graph can capture."""

    units = 1

    def __init__(self, form: Form, rows: Rows):
        torch.compiler.reset()
        self.form, self.rows = form, rows
        self.model = rows.model(form.sparse)
        self.criterion = nn.BCEWithLogitsLoss()
        self.graph: torch.cuda.CUDAGraph | None = None

    def compiled(self, function):
        if self.form.mode is None:
            return function
        return torch.compile(function, mode=self.form.mode, dynamic=False)

    def fill(self, value: float) -> None:
        with torch.no_grad():
            for parameter in self.model.parameters():
                parameter.fill_(value)

    def begin_step(self) -> None:
        if self.form.mode == "reduce-overhead":  # the results of the last one may be overwritten
            torch.compiler.cudagraph_mark_step_begin()
        self.model.zero_grad(set_to_none=True)

    def capture(self) -> None:
        """As PyTorch's manual asks: a few runs on a stream of their own, then the capture."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self.body()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.body()
        self.graph = graph

    def next_input(self) -> None:
        pass

    def run(self) -> None:
        self.next_input()
        if self.graph is None:
            self.body()
        else:
            self.graph.replay()


class Pass(Work):
    def __init__(self, form: Form, rows: Rows):
        super().__init__(form, rows)
        self.fill(INITIAL)
        chunk = rows.count
        if form.chunks:
            chunk = min(chunk, max(1024, int(CHUNK_BYTES) // (4 * rows.features)))
        self.parts = [
            (part, y, len(y) / rows.count)
            for part, y in zip(rows.values.split(chunk), rows.y.split(chunk), strict=True)
        ]
        self.loss = self.compiled(self.loss_of)

    def loss_of(self, values: torch.Tensor, y: torch.Tensor, share: float) -> torch.Tensor:
        return self.criterion(self.model(values), y) * share

    def body(self) -> None:
        self.begin_step()
        for values, y, share in self.parts:
            self.loss(values, y, share).backward()

    def result(self) -> torch.Tensor:
        self.run()
        return torch.cat([p.grad.flatten() for p in self.model.parameters()]).clone()


class Steps(Work):
    def __init__(self, form: Form, rows: Rows, batch: int, group: int):
        super().__init__(form, rows)
        self.fill(0.0)
        self.units, self.batch, self.position = group, batch, 0
        generator = torch.Generator(rows.y.device).manual_seed(SEED)
        self.shuffled = torch.randperm(rows.count, generator=generator, device=rows.y.device)
        self.drawn = self.shuffled[: group * batch].clone()  # where a graph reads its rows' numbers
        self.loss = self.compiled(self.loss_of)
        # Fewest launches: one fused kernel, or what the compiler fuses.
        fused = form.mode is None and not form.sparse
        self.optimizer = torch.optim.SGD(self.model.parameters(), RATE, fused=fused or None)
        self.update = self.compiled(self.optimizer.step)

    def loss_of(self, drawn: torch.Tensor) -> torch.Tensor:
        values = self.rows.values.index_select(0, drawn)
        return self.criterion(self.model(values), self.rows.y.index_select(0, drawn))

    def next_input(self) -> None:
        end = self.position + len(self.drawn)
        if end > self.rows.count:  # the next epoch
            self.position, end = 0, len(self.drawn)
        self.drawn.copy_(self.shuffled[self.position : end])
        self.position = end

    def body(self) -> None:
        for drawn in self.drawn.split(self.batch):
            self.begin_step()
            self.loss(drawn).backward()
            self.update()

    def result(self) -> torch.Tensor:
        """The weights after the first group of steps from zero."""
        self.fill(0.0)
        self.position = 0
        self.run()
        return torch.cat([p.detach().flatten() for p in self.model.parameters()])


def elapsed(work: Work, repeats: int) -> float:
    """Seconds of one run, by the GPU's own clock where there is one."""
    if work.rows.y.device.type == "cpu":
        start = time.perf_counter()
        for _ in range(repeats):
            work.run()
        return (time.perf_counter() - start) / repeats
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    for _ in range(repeats):
        work.run()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / 1e3 / repeats


def sample(work: Work, samples: int) -> dict:
    start, runs = time.perf_counter(), 0
    while runs < 3 or time.perf_counter() - start < WARM_UP_S:
        seconds, runs = elapsed(work, 1), runs + 1
    repeats = max(1, math.ceil(SAMPLE_S / seconds))
    times = sorted(elapsed(work, repeats) / work.units for _ in range(samples))
    low, median, high = statistics.quantiles(times, n=4)
    return {"seconds": median, "low": low, "high": high, "samples": samples}


def same(result: torch.Tensor, expected: torch.Tensor) -> bool:
    worst, largest = (result - expected).abs().max(), expected.abs().max()
    return bool(worst <= TOLERANCE * largest)  # false for anything that is not a number


class Bench:
    """Times one form after another; keeps the rows of the last one."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.rows: Rows | None = None
        self.rows_key: tuple | None = None
        self.expected: dict[Case, torch.Tensor] = {}
        torch.set_float32_matmul_precision("highest")  # no TF32

    def rows_for(self, case: Case, count: int) -> Rows:
        key = (case.layout, case.features, count)
        if self.rows_key != key:
            self.rows = None
            device = self.options.device
            if case.layout == "sparse":
                self.rows = SparseRows(count, device)
            else:
                self.rows = DenseRows(count, case.features, device)
            self.rows_key, self.expected = key, {}
        return self.rows

    def work(self, case: Case, form: Form, rows: Rows) -> Work:
        if case.batch is None:
            return Pass(form, rows)
        return Steps(form, rows, case.batch, self.options.group)

    def time(self, case: Case, form: Form, count: int) -> dict:
        rows = self.rows_for(case, count)
        if case not in self.expected:
            self.expected[case] = self.work(case, EAGER, rows).result()
        work = self.work(case, form, rows)
        if form.graph:
            work.capture()
        if not same(work.result(), self.expected[case]):
            raise ArithmeticError("other numbers than the eager form's")
        return sample(work, self.options.samples)


def describe(device: str) -> dict:
    about = {"program": f"PyTorch {torch.__version__}"}
    if device == "cpu":
        return {**about, "machine": platform.processor() or platform.machine()}
    if not torch.cuda.is_available():
        return {"error": "PyTorch sees no GPU (--device cpu --small tries the script)"}
    gpu = torch.cuda.get_device_properties(0)
    return {**about, "cuda": torch.version.cuda, "machine": gpu.name,
            "l2_bytes": getattr(gpu, "L2_cache_size", None)}  # fmt: skip


def reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {(lines or [''])[0][:200]}"


def serve(pipe, options: argparse.Namespace) -> None:
    """Answers `None` with what this is, (case, form, rows) with times, until the pipe is closed."""
    bench = Bench(options)
    while True:
        try:
            request = pipe.recv()
        except EOFError:
            return
        try:
            answer = describe(options.device) if request is None else bench.time(*request)
        except Exception as error:  # whatever a form dies of concerns that form alone
            answer = {"error": reason(error)}
        pipe.send(answer)
        gc.collect()  # graphs and their memory
