// The browser's storage, if it may be used. Otherwise (blocked cookies, a sandboxed frame, a full disk) values last as long as
// the page.

const memory = new Map<string, string>();

type Kind = "localStorage" | "sessionStorage";

export function read(kind: Kind, key: string): string | null {
  try {
    return globalThis[kind].getItem(key) ?? memory.get(key) ?? null;
  } catch {
    return memory.get(key) ?? null;
  }
}

/** Null forgets it. */
export function write(kind: Kind, key: string, value: string | null): void {
  if (value === null) memory.delete(key);
  try {
    if (value === null) globalThis[kind].removeItem(key);
    else globalThis[kind].setItem(key, value);
  } catch {
    if (value !== null) memory.set(key, value);
  }
}
