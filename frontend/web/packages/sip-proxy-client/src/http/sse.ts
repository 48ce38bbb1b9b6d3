// Server-sent events: text to events, as the HTML standard has it (section 9.2.6). Pure.
//
// Not the browser's EventSource, which cannot send an Authorization header; and not a library, since the package has no
// dependencies, which would be one more thing for every app to install, check and update for the sake of 60 lines.

export interface ServerEvent {
  id: string; // of the last event that had one
  event: string;
  data: string;
}

export class SseParser {
  /** How long the server wants clients to wait before they reconnect, in milliseconds; null: it has not said so. */
  retryMs: number | null = null;
  #rest = ""; // of a line that is not complete
  #endsWithCr = false; // the previous chunk did: a line feed at the start of the next one belongs to it
  #id = "";
  #event = "";
  #data: string[] = [];

  /** Takes chunks of decoded text as they come, and returns the events that they complete. */
  push(chunk: string): ServerEvent[] {
    if (chunk === "") return [];
    const text = this.#endsWithCr && chunk.startsWith("\n") ? chunk.slice(1) : chunk;
    this.#endsWithCr = chunk.endsWith("\r");
    const lines = (this.#rest + text).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => (line === "" ? this.#dispatch() : this.#takeField(line)));
  }

  #dispatch(): ServerEvent[] {
    const event = { id: this.#id, event: this.#event || "message", data: this.#data.join("\n") };
    const isEmpty = this.#data.length === 0;
    this.#event = "";
    this.#data = [];
    return isEmpty ? [] : [event];
  }

  #takeField(line: string): [] {
    const [, name = "", value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#event = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    else if (name === "retry" && /^[0-9]+$/.test(value)) this.retryMs = Number(value);
    return [];
  }
}
