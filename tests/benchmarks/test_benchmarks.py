"""The benchmarks run, answer every key they promise, and write valid JSON; how fast anything is, is not asserted."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HAS_MLFLOW = importlib.util.find_spec("mlflow") is not None
HAS_TORCH = importlib.util.find_spec("torch") is not None
GAME_KEYS = ("worst_return", "mean_return", "no_channel", "oracle", "mean_score")
MODE_KEYS = {
    *(f"adaptation_{key}" for key in ("level", "return_at_once", "steps", "steps_from_scratch", "steps_ratio")),
    *(f"specialization_{key}" for key in ("gain", "gain_low", "forgetting")),
    *("collaboration_least_gain", "collaboration_gain_low", "protocols_influence"),
    *(f"coordination_{key}" for key in ("return", "independent_return", "gain", "gain_low", "better")),
}
HAS_AGENTS = all(importlib.util.find_spec(name) is not None for name in ("gymnasium", "mpe2", "minigrid"))
ENVIRONMENT_KEYS = {
    *(
        f"{name}{suffix}"
        for name in ("cartpole", "acrobot", "speaker_listener", "spread", "reference", "four_rooms", "key_door")
        for suffix in ("_steps_per_s", "_ratio")
    ),
    "adapted_cartpole_steps_per_s",
    "adapted_spread_steps_per_s",
}
RATIOS = {"writes_vs_mlflow", "ingest_vs_mlflow", "read_vs_mlflow"}
KEYS = {
    "store": {"history_1m_ms", "bytes_per_point", *(RATIOS if HAS_MLFLOW else ())},
    "judgement": {
        *(f"f1_{name}{suffix}" for name in ("overfit", "plateau", "divergence") for suffix in ("", "_all")),
        "delay_median_pct",
        "regret_over_1pct_share",
        "epochs_used_median",
        "wrongly_stopped_share",
        "faults_named",
        "us_per_point_median",
    },
    "time_limit": {"longest_work_s", "shortest_work_s", "kept", "better_than_trivial", "longest_start_s"},
    **({"agents_environments": ENVIRONMENT_KEYS} if HAS_AGENTS else {}),
    **({"grokfast": {"cost_vs_reference", "max_difference", "ma_cost_vs_reference"}} if HAS_TORCH else {}),
    **(
        {
            "act": {"accuracy", "hops_correlation", "ponder_steps_1", "ponder_steps_4", "time_1_over_4"},
            "memory": {"recall_off", "recall_64", "recall_8", "recall_8_fifo_expectation", "reads", "writes", "leak"},
            "agents_ppo": {
                f"{task}_{key}"
                for task in ("cartpole", "acrobot")
                for key in ("seeds_at_mark", "worst_final", "steps_per_cpu_s", "alone_steps_per_cpu_s")
            },
            "agents_modes": MODE_KEYS,
            "agents_communication": {
                "speaker_listener_worst_return",
                "speaker_listener_worst_success",
                "speaker_listener_joint_steps",
                "speaker_listener_cpu_s_per_seed",
                "speaker_listener_least_shuffled_cost",
                "speaker_listener_least_score",
                "speaker_listener_least_influence",
                "naive_best_return",
                "naive_best_success",
                "naive_mean_score",
                "unheard_best_return",
                "unheard_highest_score",
                *(f"{game}_{key}" for game in ("referential_game", "switch_riddle") for key in GAME_KEYS),
                *(
                    f"{task}_{way}{end}"
                    for task in ("dispatch", "announcement")
                    for way in ("direct", "broadcast")
                    for end in ("", "_low", "_high")
                ),
                "dispatch_direct_lead",
                "announcement_broadcast_lead",
            },
            "pretrain": {"tokens_per_s_eager", "peak_memory_mib", "parameters"},
        }
        if HAS_TORCH
        else {}
    ),
    **(
        {
            "codegen_speed": {
                "tokenize_us_500",
                "softmax_us_512",
                "attention_ms_128",
                "generate_ms_20_40",
                "beam4_vs_greedy",
                "draft_verify_speedup",
                "ct2_equals_torch_share",
                "anchor_us",
                "wgpu_tile_gflops",
                *(f"generate_ms_{name}" for name in ("torch_fp32", "torch_int8", "ct2_fp32", "onnx_fp32", "onnx_int8")),
            }
        }
        if HAS_TORCH and importlib.util.find_spec("ctranslate2") is not None
        else {}
    ),
    "overhead": {"reporting_overhead_pct", "us_per_step", "visible_p50_ms", "visible_p99_ms"},
}


def run_benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)


@pytest.mark.slow  # 20 s each: a supervisor, a million points, MLflow's migrations
@pytest.mark.parametrize("name", sorted(KEYS if "TUTELAGE_TEST_DATA" in os.environ else KEYS.keys() - {"time_limit"}))
def test_a_quick_run_writes_its_keys_as_valid_json(name: str, tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    answer = run_benchmarks(name, "--quick", "--json", str(path))
    assert answer.returncode == 0, answer.stderr
    document = json.loads(path.read_text())
    assert set(document) == {"name", "figures", "peers", "machine", "commit"}
    assert document["name"] == name
    assert document["figures"].keys() >= KEYS[name]
    assert all(math.isfinite(value) for value in document["figures"].values())
    assert all(key in answer.stdout for key in KEYS[name])


def test_an_unknown_name_is_answered_with_the_nearest_and_the_list() -> None:
    answer = run_benchmarks("stor")
    assert answer.returncode == 2
    assert "'store'" in answer.stderr
    assert "judgement, memory, overhead, page, pretrain, store" in answer.stderr


def test_every_key_of_the_documents_is_described() -> None:
    text = (ROOT / "benchmarks" / "README.md").read_text()
    assert [key for keys in KEYS.values() for key in keys if f"`{key}`" not in text] == []
