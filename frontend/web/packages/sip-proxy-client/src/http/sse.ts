// Server-sent events as text to events. Pure; EventSource itself cannot send an Authorization header.

export interface ServerEvent {
  id: string;
  event: string;
  data: string;
}

/** Takes chunks as they come and gives the events that became whole (HTML standard, section 9.2.6). */
export class SseParser {
  #rest = "";
  #event: ServerEvent = { id: "", event: "message", data: "" };
  #lines: string[] = [];

  push(chunk: string): ServerEvent[] {
    const ready: ServerEvent[] = [];
    const text = this.#rest + chunk;
    const end = text.lastIndexOf("\n") + 1;
    this.#rest = text.slice(end);
    for (const raw of text.slice(0, end).split("\n").slice(0, -1)) {
      const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
      if (line !== "") this.#field(line);
      else {
        if (this.#lines.length > 0) ready.push({ ...this.#event, data: this.#lines.join("\n") });
        this.#event = { id: this.#event.id, event: "message", data: "" };
        this.#lines = [];
      }
    }
    return ready;
  }

  #field(line: string): void {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#lines.push(value);
    else if (name === "id") this.#event.id = value;
    else if (name === "event") this.#event.event = value;
  }
}
