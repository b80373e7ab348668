"""The service's own commands alone, for the tests of the command line."""

from __future__ import annotations

from tutelage.core.service import Service, ServiceCommand

SERVICE = Service(
    name="shaders",
    about="Judges shaders.",
    unit="step",
    config="tutelage.services.codegen.config:CodegenConfig",
    train="tutelage.services.codegen.train:train",
    commands={
        "validate": ServiceCommand(
            arguments="tutelage.services.codegen.commands.validate:ValidateArguments",
            run="tutelage.services.codegen.commands.validate:validate",
            about="Tell whether a shader compiles.",
        )
    },
)
