// Which codec the media of this side are to have; without a choice, the server decides.

export type Codec = "opus" | "pcmu";
