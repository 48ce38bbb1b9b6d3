"""The page's message types are those of the Python structs."""

from frontend.typescript import TARGET, generate


def test_the_committed_file_is_current() -> None:
    assert TARGET.read_text() == generate(), "run `python -m frontend.typescript` and commit the result"


def test_names_are_camel_case_and_defaults_are_optional() -> None:
    text = generate()
    assert 'export interface Hangup {\n  type: "hangup";\n  callId: string;\n}' in text
    assert "  caller?: string; // shown to the far side" in text
    assert "  state: ClientState;" in text


def test_unions_and_enums_are_told() -> None:
    text = generate()
    assert 'export type Direction = "outbound" | "inbound";' in text
    assert "export type ServerMessage =\n  | Welcome" in text
