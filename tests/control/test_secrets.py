"""What a run writes, is asked and answers is shown with its secrets masked."""

from __future__ import annotations

from pathlib import Path

from tests.support import plane_at

from tutelage.core.events import Draft, EventKind

SECRET = "tut_" + "a1B2" * 10


def test_secrets_are_masked_wherever_a_run_is_shown(tmp_path: Path) -> None:
    with plane_at(tmp_path / "home") as plane:
        operation_id = plane.submit({"steps": 3}, tags={"db_password": "hunter22"}).id
        plane.finish(operation_id)
        base = plane.parts.base
        with base.files.operation(operation_id).log.open("a") as log:
            log.write(f"connecting with {SECRET} to http://ada:pw12@db/\n")
        told = {"code": "x", "message": f"refused {SECRET}", "traceback_tail": [f"password={SECRET}"]}
        with base.store.writing() as tx:
            tx.change_operation(operation_id, error=told, result={"uri": "s3://key:value@bucket"})
            tx.add_events(operation_id, [Draft(kind=EventKind.LOG, at_s=1.0, data={"text": SECRET})])
        platform = plane.platform
        shown = [
            platform.operation(operation_id).model_dump_json(),
            platform.events(operation_id).model_dump_json(),
            platform.logs(operation_id).model_dump_json(),
            platform.logs(operation_id, since="0").model_dump_json(),
            str(platform.spec(operation_id)),
            str(platform.environment(operation_id)),
        ]
        assert [text for text in shown if SECRET in text or "pw12" in text or "value@" in text] == []
        assert "hunter22" not in shown[4]
        with base.store.reading() as reading:
            record = reading.operation(operation_id)
        assert record is not None
        assert record.spec["tags"] == {"db_password": "hunter22"}
