"""shouwang: the one command. Exit codes: 0 done, 1 found something wrong, 2 asked wrongly."""

import gc
import importlib

gc.disable()  # what is imported stays: to look for garbage in it took a quarter of the start

import click  # noqa: E402

from scripts.console import Commands  # noqa: E402

gc.enable()

_COMMANDS = {
    "init": "serving_commands:init_",
    "import": "import_command:import_",
    "credit": "answer_commands:credit_",
    "rules": "rule_commands:rules",
    "rates": "answer_commands:rates_",
    "indicators": "indicator_commands:indicators",
    "select": "selection_commands:select_",
    "annual-report": "answer_commands:annual_report_",
    "correct": "record_commands:correct_",
    "void": "record_commands:void_",
    "parked": "record_commands:parked_",
    "certificate": "certificate_commands:certificate",
    "checkpoint": "log_commands:checkpoint_",
    "verify": "log_commands:verify_",
    "export-log": "log_commands:export_log_",
    "proof": "log_commands:proof_",
    "bundle": "audit_commands:bundle_",
    "announce-spot-check": "audit_commands:announce_spot_check_",
    "spot-check": "audit_commands:spot_check_",
    "sample": "audit_commands:sample_",
    "rebuild": "log_commands:rebuild_",
    "rotate-key": "key_commands:rotate_key_",
    "rotate-wrapping-key": "key_commands:rotate_wrapping_key_",
    "policy": "key_commands:policy_",
    "backup": "backup_commands:backup_",
    "restore": "backup_commands:restore_",
    "erase": "privacy_commands:erase_",
    "ages": "people_commands:ages_",
    "retention": "privacy_commands:retention_",
    "hand-over": "handover_commands:hand_over_",
    "database-role": "database_commands:database_role_",
    "serve": "serving_commands:serve_",
    "jobs": "serving_commands:jobs_",
    "witnesses": "witness_commands:witnesses_",
    "witness": "witness_commands:witness",
    "account": "account_commands:account",
    "token": "token_commands:token",
    "routes": "route_commands:routes_",
}


class Shouwang(Commands):
    """Loads a command's module when it is called: `verify` needs no web server."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Name the commands in the order of the table above."""
        return list(_COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command. Nobody looks for garbage in what was imported, now or later; in what the command makes they do."""
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name].split(":")
        gc.disable()
        found: click.Command = getattr(importlib.import_module(f"scripts.{module}"), name)
        gc.freeze()
        gc.enable()
        return found


@click.command(cls=Shouwang, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """守望账本：志愿服务时长的账本，每一小时都可核验。状态在 $SHOUWANG_HOME（默认 ./var），数据库可用 $SHOUWANG_DATABASE_URL 指定。"""


if __name__ == "__main__":
    main()
