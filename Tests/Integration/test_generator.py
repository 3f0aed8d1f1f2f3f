"""Random statements (generator.py) through the proxy and on a plaintext twin: the same rows, columns, tags, SQLSTATEs, transaction
states, or a refusal of ours; and no value of a marked column in what was sent to the server.

CI runs 20,000 of one seed. CLOISTER_GENERATOR_SEED, _STATEMENTS and _SECONDS ask for other runs; a failure shows the seed and a smaller statement.
"""

import concurrent.futures
import multiprocessing
import os

import pytest

from cloister_testlib import generator_run
from cloister_testlib.generator_values import PATTERNS, leaks
from cloister_testlib.tap import tapped_proxy
from cloister_testlib.twins import make_twin, twins
from conftest import binaries, free_port, running_stack

SEED = os.environ.get("CLOISTER_GENERATOR_SEED", "1")
STATEMENTS = int(os.environ.get("CLOISTER_GENERATOR_STATEMENTS", "20000"))
SECONDS = float(os.environ.get("CLOISTER_GENERATOR_SECONDS", "500"))
WORKERS, GENERATIONS = 2, 12
REFUSED_AT_MOST = 0.05


def _work(stack, port, worker):
    made = generator_run.schemas(SEED, WORKERS, GENERATIONS)[worker]
    with twins(stack, port) as pair:
        return generator_run.work(pair, made, f"{SEED} {worker}", STATEMENTS // WORKERS, SECONDS)


@pytest.mark.timeout(900)
def test_random_statements():
    made = generator_run.schemas(SEED, WORKERS, GENERATIONS)
    with running_stack(generator_run.configuration(made)) as stack:
        make_twin(stack)
        port = free_port()
        with tapped_proxy(stack, binaries() / "cloister", port) as (tap, log):
            report = generator_run.Report()
            with concurrent.futures.ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn")) as pool:
                for part in pool.map(_work, [stack] * WORKERS, [port] * WORKERS, range(WORKERS)):
                    report.add(part)
            sent = tap.sent()
            print(f"seed {SEED}: {report}\n{len(sent)} bytes sent to the server")
            assert not report.failures, f"{len(report.failures)} differences\n" + "\n\n".join(report.failures)
            found = leaks(sent)
            assert not found, f"{len(found)} values reached the server: {found[:5]}"
            assert not leaks(log.read_bytes())
            assert report.statements >= STATEMENTS * 0.99
            assert len(sent) > STATEMENTS * 100  # the relay did carry it
            refused = sum(report.refusals.values())
            assert refused <= REFUSED_AT_MOST * report.statements, str(report)
            assert report.late <= STATEMENTS / 5000
            assert len(PATTERNS) > 15
