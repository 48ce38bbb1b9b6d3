// Which codec this side's media are to have; without a word of it, as the server is set.

export type Codec = "opus" | "pcmu";

/** What an offer says of it. */
export const preferring = (codec: Codec | undefined): { prefer?: Codec } => (codec ? { prefer: codec } : {});
