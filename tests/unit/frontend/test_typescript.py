"""The types of the page, for WebSocket and HTTP, are those of the Python structs."""

from frontend.codegen.typescript import API_TARGET, TARGET, generate, generate_api


def test_the_committed_files_are_current() -> None:
    assert TARGET.read_text() == generate(), "run `python -m frontend.codegen` and commit the result"
    assert API_TARGET.read_text() == generate_api(), "run `python -m frontend.codegen` and commit the result"


def test_what_may_be_null_is_told_and_what_may_be_missing() -> None:
    text = generate_api()
    assert "  answeredAt: number | null;" in text
    assert "  callId?: string | null; // 1 to 128 printable" in text
    assert "  parties: PartyData[];" in text
    assert "  outcomes: Record<string, number>;" in text


def test_names_are_camel_case_and_defaults_are_optional() -> None:
    text = generate()
    assert 'export interface Hangup {\n  type: "hangup";\n  callId: string;\n}' in text
    assert "  caller?: string; // shown to the far side" in text
    assert "  state: ClientState;" in text


def test_unions_and_enums_are_told() -> None:
    text = generate()
    assert 'export type Direction = "outbound" | "inbound";' in text
    assert "export type ServerMessage =\n  | Welcome" in text
