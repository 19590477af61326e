#!/usr/bin/env python3
"""Has the Azure CLI's own parser read commands, without running any: pip install azure-cli; commands on standard input.

    (deploy.sh --dry-run ... 2>&1; cat docs/deploy/container-apps.md) | container-apps-az.py   # says what is refused
    ... | container-apps-az.py --table > test/deploy/container-apps-az.json    # options of each command, for the tests

Lines without a command of az, `az ...` or `name=$(az ...)`, are left out. Exit code 0, or 1 with what is refused.
"""

import contextlib
import io
import json
import os
import re
import shlex
import sys
import tempfile

# Nothing of whoever is signed in is read, and nothing is told to anybody.
os.environ |= {"AZURE_CONFIG_DIR": tempfile.mkdtemp(), "AZURE_CORE_COLLECT_TELEMETRY": "false"}

import azure.cli.core
from azure.cli.core import get_default_cli


COMMAND = re.compile(r"^\s*(?:az (?P<plain>.*)|\w+=\$\(az (?P<nested>.*)\))$")


def commands_in(text):
    for line in text.replace("\\\n", " ").splitlines():
        found = COMMAND.match(line)
        if found:
            yield shlex.split(found["plain"] or found["nested"], comments=True)


def parser_for(words):
    cli = get_default_cli()
    invocation = cli.invocation_cls(
        cli_ctx=cli, parser_cls=cli.parser_cls, commands_loader_cls=cli.commands_loader_cls, help_cls=cli.help_cls
    )
    cli.invocation = invocation
    loader = invocation.commands_loader
    loader.load_command_table(words)
    command = longest_command(loader.command_table, words)
    if command is None:
        return None, None, None
    invocation.data["command_string"] = command
    loader.command_name = command
    loader.command_table = {command: loader.command_table[command]}
    loader.load_arguments(command)
    invocation.parser.cli_ctx = cli
    invocation.parser.load_command_table(loader)
    return command, invocation.parser, loader.command_table[command]


def longest_command(table, words):
    names = [" ".join(words[:count]) for count in range(len(words), 0, -1)]
    return next((name for name in names if name in table), None)


def refusal(parser, words):
    told = io.StringIO()
    try:
        with contextlib.redirect_stderr(told), contextlib.redirect_stdout(told):
            parser.parse_args(words)
    except SystemExit as end:
        if end.code:
            return told.getvalue().strip().splitlines()[0:1] or ["refused"]
    except Exception as problem:  # the CLI's own errors have no common base
        return [str(problem)]
    return []


def options_of(command):
    """Everywhere: --output, --query, --only-show-errors, --subscription; of this command: the rest."""
    arguments = [each.type.settings for name, each in command.arguments.items() if name not in ("cmd", "__cmd__")]
    return {
        "options": sorted({str(option) for each in arguments for option in each.get("options_list") or []}),
        # Each by all its names.
        "required": [
            sorted(str(option) for option in each["options_list"])
            for each in arguments
            if each.get("required") and each.get("options_list")
        ],
        "positional": any(not each.get("options_list") for each in arguments),
    }


def main():
    table, problems = {}, 0
    for words in commands_in(sys.stdin.read()):
        line = shlex.join(["az", *words])
        name, parser, command = parser_for(words)
        refused = [f"there is no command {line}"] if name is None else refusal(parser, words)
        for words_of_refusal in refused:
            problems += 1
            print(f"{line}\n  {words_of_refusal}", file=sys.stderr)
        if command is not None:
            table[name] = options_of(command)
    if "--table" in sys.argv:
        print(json.dumps({"azureCli": azure.cli.core.__version__, "commands": dict(sorted(table.items()))}, indent=1))
    else:
        print(f"{len(table)} commands, {problems} refused by azure-cli {azure.cli.core.__version__}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
