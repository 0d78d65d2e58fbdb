"""What the tools print, taken apart."""

from builds.pipeline.diagnostics import in_characters, of_esbuild, of_tsc
from builds.types import Diagnostic

_TSC = """src/main.ts(3,7): error TS2322: Type 'string' is not assignable to type 'number'.
  The expected type comes from property 'x'.
src/odd (1).ts(12,30): error TS1005: ';' expected.
../c/tsconfig.json(1,2): error TS5023: Unknown compiler option 'x'.
error TS18003: No inputs were found.
"""
_ESBUILD = """✘ [ERROR] Could not resolve "./nope"

    src/main.ts:1:18:
      1 │ import {a} from "./nope";
        ╵                 ~~~~~~~~

▲ [WARNING] Comparison with -0 [equals-negative-zero]

    src/a.ts:20:4:
      20 │ x == -0

✘ [ERROR] No place for this
3 errors
"""


def test_a_type_error_has_its_place_its_code_and_all_of_its_message():
    assert of_tsc(_TSC)[1] == Diagnostic(
        "src/main.ts",
        3,
        7,
        "TS2322",
        "Type 'string' is not assignable to type 'number'.\n"
        "The expected type comes from property 'x'.",
        "error",
    )


def test_what_goes_on_without_end_is_cut_and_what_follows_is_read():
    text = _TSC.replace("property 'x'.\n", "property 'x'.\n" + "  more\n" * 100_000)
    found = of_tsc(text)
    assert found[1].message.startswith(of_tsc(_TSC)[1].message + "\nmore\nmore\n")
    assert len(found[1].message) < 20_000
    assert found[2:] == of_tsc(_TSC)[2:]


def test_brackets_in_a_file_name_are_no_place():
    found = of_tsc(_TSC)[2]
    assert (found.file, found.line, found.column) == ("src/odd (1).ts", 12, 30)


def test_what_is_wrong_in_the_configuration_comes_first_and_has_no_line():
    first, *_, last = of_tsc(_TSC)
    assert (first.file, first.line, first.code) == ("tsconfig.json", None, "TS5023")
    assert (last.file, last.code) == (None, "TS18003")


def test_where_the_project_lies_is_not_told():
    line = "a.ts(1,2): error TS6142: Module './b' was resolved to '/p/b.tsx', but not '/x'."
    assert of_tsc(line)[0].message == "Module './b' was resolved to 'b.tsx', but not '/x'."


def test_columns_are_counted_as_editors_do(tmp_path):
    (tmp_path / "a.ts").write_text("const a = 1;\nx = '\U0001f600\xe9' + y;\n", encoding="utf-8")
    at = Diagnostic("a.ts", 2, 16, "ESBUILD", "y", "error")
    plain = Diagnostic("a.ts", 1, 7, "ESBUILD", "a", "error")
    odd = [Diagnostic(f, n, 3, "X", "", "error") for f, n in (("../a.ts", 1), ("b.ts", 1))]
    found = in_characters([at, plain, *odd], tmp_path, 1000)
    assert [d.column for d in found] == [13, 7, 3, 3]


def test_the_bundlers_columns_count_from_one():
    first = of_esbuild(_ESBUILD)[0]
    assert (first.file, first.line, first.column) == ("src/main.ts", 1, 19)
    assert (first.code, first.severity) == ("ESBUILD", "error")


def test_the_bundlers_warnings_have_their_codes():
    warning = of_esbuild(_ESBUILD)[1]
    assert (warning.code, warning.severity) == ("equals-negative-zero", "warning")
    assert warning.message == "Comparison with -0"


def test_a_message_does_not_take_the_place_of_the_next():
    assert of_esbuild(_ESBUILD)[2].file is None


def test_silence_is_no_diagnostic():
    assert of_tsc("") == of_esbuild("") == []


def test_colours_are_no_part_of_what_is_found():
    coloured = _ESBUILD.replace(
        "✘ [ERROR] ", "\x1b[31m✘ \x1b[41;31m[\x1b[41;97mERROR\x1b[41;31m]\x1b[0m \x1b[1m"
    )
    coloured = coloured.replace("\n\n", "\x1b[0m\n\n").replace("      1 │", "\x1b[37m      1 │")
    assert coloured != _ESBUILD
    assert of_esbuild(coloured) == of_esbuild(_ESBUILD)
