// Connections and microphones that do as a test says.

import type { MediaState } from "../state/model.js";

export class FakeTrack {
  enabled = true;
  stopped = false;

  constructor(readonly name: string) {}

  clone = (): FakeTrack => new FakeTrack(`copy of ${this.name}`);
  stop = (): void => void (this.stopped = true);
}

export const track = (name: string): MediaStreamTrack => new FakeTrack(name) as unknown as MediaStreamTrack;

/** A connection that does as the test says. */
export class FakePeer {
  static all: FakePeer[] = [];
  state: MediaState = "new";
  answered = false;
  answerSdp = "";
  applied = Promise.resolve();
  closed = false;
  sends: FakeTrack | null = null;
  packets = 0;
  answers = 0;
  asked = 0;
  frozen = false; // nothing comes in any more, and nobody answers
  still = false; // nothing comes in, but somebody answers
  remoteStream = { getTracks: () => ["voice"] };
  private readonly number = FakePeer.all.push(this);
  private listener: () => void = () => undefined;

  offer(listener: () => void): string {
    this.listener = listener;
    return `offer ${this.number}`;
  }

  handOver(listener: () => void): string {
    return this.offer(listener);
  }

  async answer(sdp = ""): Promise<void> {
    this.answered = true;
    this.answerSdp = sdp;
  }

  become(state: MediaState): void {
    if (this.closed) return;
    this.state = state;
    this.listener();
  }

  async replaceTrack(track: FakeTrack): Promise<void> {
    this.sends = track;
  }

  async stats(): Promise<Map<string, object>> {
    this.asked++;
    if (!this.frozen && !this.still) this.packets += 50;
    if (!this.frozen) this.answers++;
    return new Map<string, object>([
      ["i", { type: "inbound-rtp", id: "i", kind: "audio", packetsReceived: this.packets }],
      [
        "p",
        { type: "candidate-pair", id: "p", nominated: true, requestsSent: this.asked, responsesReceived: this.answers },
      ],
    ]);
  }

  close(): void {
    this.closed = true;
  }
}
