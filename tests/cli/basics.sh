#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The command line itself: help, version, refusals and their exit codes, broken standard output, messages as JSON.
# basics.sh PROGRAM
program=$1
. "$(dirname "$0")/expect.sh"

expect 0 '^metaseg [0-9.]*$' '' --version
expect 0 'usage: metaseg COMMAND' '' --help
expect 0 'usage: metaseg doctor' '' help doctor
expect 0 'usage: metaseg doctor' '' doctor --help
expect 2 '' "^metaseg: error: no command was given"
expect 2 '' "unknown command 'doctro'; did you mean 'doctor'" doctro
expect 2 '' "unknown command 'xyz'; 'metaseg --help' lists them" xyz
expect 2 '' "unknown option '--verbos'; did you mean '--verbose'" doctor --verbos
expect 2 '' "takes auto, plain, avx2, avx512" doctor --cpu sse9
expect 2 '' "'x' is one argument too many" doctor x
expect 2 '' '^{"time":"[^"]*","level":"error","message":"--threads: .* is out of range' doctor --log-format json --threads 5000
expect 4 '' "'/nowhere': no such folder" doctor --data-folder /nowhere
expect 0 '^complete ' '' --completion
expect 0 '^.SS "metaseg doctor' '' --man
METASEG_DATA=/nowhere expect 4 '' "'/nowhere': no such folder" doctor

expect 0 '"name": "co"' '' predict --no-such-option --json-usage
for command in $("$program" --help | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
    expect 0 "^usage: metaseg $command" '' "$command" --help
    expect 0 "^  \"name\": \"$command\"," '' "$command" --json-usage
    python3 - "$log.out" <<'END' || fail "the usage of $command is not as GDAL's schema has it"
import json, sys
usage = json.load(open(sys.argv[1]))
assert set(usage) == {"name", "full_path", "description", "sub_algorithms", "input_arguments", "output_arguments", "input_output_arguments"}
needed = {"name", "type", "description", "required", "category"}
known = needed | {"metavar", "choices", "default", "min_value", "min_value_is_included", "max_value", "max_value_is_included",
                  "packed_values_allowed", "repeated_arg_allowed", "min_count", "max_count"}
kinds = {"boolean": bool, "integer": int, "real": (int, float), "string": str, "string_list": list, "real_list": list}
for a in usage["input_arguments"]:
    assert needed <= set(a) <= known, a
    assert isinstance(a.get("default", kinds[a["type"]]() if a["type"] != "real" else 0.0), kinds[a["type"]]), a
    assert "choices" not in a or "default" not in a or a["default"] in a["choices"], a
    assert a["type"].endswith("_list") == ("min_count" in a), a
names = [a["name"] for a in usage["input_arguments"]]
assert len(names) == len(set(names)) and "json-usage" in names
END
done

if [ -w /dev/full ]; then
    "$program" --help >/dev/full 2>"$log.err"
    [ $? = 6 ] && grep -q 'cannot be written' "$log.err" || { echo "FAILED: a full disk behind stdout is not reported"; failed=1; }
fi

# every plain and every documented level runs what this CPU has, and refuses what it has not
"$program" doctor --cpu plain >"$log.out" 2>&1
grep -q '^level *plain ' "$log.out" || { echo "FAILED: --cpu plain"; failed=1; }
# names that would play with the terminal are shown escaped, wherever they come from: one harmless line
odd=$(printf 'a\033]0;title\007\033[31m\nmetaseg: error: fake\342\200\256.tif')
shown='a\\x1b]0;title\\x07\\x1b\[31m\\x0ametaseg: error: fake\\u202e.tif'
folder=$(mktemp -d "$log.XXXXXX")
echo junk >"$folder/$odd"
expect 4 '' "$shown" info "$folder/$odd"
expect 4 '' "$shown" eval "$folder/$odd" "$folder/$odd"
expect 4 '' "$shown" prompt "$folder/$odd"
expect 2 '' "$shown" train "$folder/$odd"
expect 5 '' "$shown" convert "$folder/$odd" out.safetensors
expect 5 '' "$shown" predict x.tif -o x_map.tif -m "$folder/$odd"
expect 2 '' "unknown option '--$shown'" info "--$odd"
expect 2 '' "unknown command '$shown'" "$odd"
rm -rf "$folder" "$log.out" "$log.err"
# nobody reads standard output any more: the command was stopped (8), unless it had something to say against the machine (4)
{ sleep 0.5; "$program" doctor 2>"$log.err"; echo $? >"$log.code"; } | true
case $(cat "$log.code") in
4) ;;
8) grep -q 'error' "$log.err" && fail "a closed pipe is told as an error" ;;
*) fail "a closed pipe: exit code $(cat "$log.code")" ;;
esac
run --help
if grep -q ', 7 ' "$log.out"; then fail "help names an exit code that no command has"; fi
rm -f "$log.code" "$log.err"
exit $failed
