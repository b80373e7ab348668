"""Oracles for WGSL: does a shader compile (Tint, naga), and does it compute the right thing (execution)?"""

from tutelage.services.codegen.oracle.base import Oracle
from tutelage.services.codegen.oracle.execution import Executor, Outcome
from tutelage.services.codegen.oracle.launch import Launch, launch_of
from tutelage.services.codegen.oracle.naga import NagaOracle
from tutelage.services.codegen.oracle.tint import TintOracle
from tutelage.services.codegen.oracle.verdict import Message, Verdict

__all__ = [
    "Executor",
    "Launch",
    "Message",
    "NagaOracle",
    "Oracle",
    "Outcome",
    "TintOracle",
    "Verdict",
    "launch_of",
]
