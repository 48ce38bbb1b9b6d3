import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { settled } from "../testing/fakes.js";
import { IceConfig, type LocalCandidate, MAX_CANDIDATES } from "./iceConfig.js";
import { PeerConnection } from "./PeerConnection.js";

/** The browser's part: what it was told, and candidates as a test finds them. */
class FakeConnection {
  static last: FakeConnection;
  static generateCertificate = async (): Promise<string> => "certificate";
  static refuses = false;

  configuration: RTCConfiguration;
  onicecandidate: ((event: { candidate: { toJSON(): RTCIceCandidateInit } | null }) => void) | null = null;
  applied = (): void => undefined; // the answer is

  constructor(configuration: RTCConfiguration) {
    this.configuration = configuration;
    FakeConnection.last = this;
  }

  addTransceiver = (): object => ({ sender: {} });
  createOffer = async (): Promise<object> => ({ type: "offer", sdp: "offer" });
  setLocalDescription = async (): Promise<void> => undefined;
  setRemoteDescription = (): Promise<void> => new Promise((resolve) => (this.applied = resolve));
  getConfiguration = (): RTCConfiguration => this.configuration;
  close = (): void => undefined;

  setConfiguration(configuration: RTCConfiguration): void {
    if (FakeConnection.refuses) throw new DOMException("no", "SyntaxError");
    this.configuration = configuration;
  }

  find(address: string | null): void {
    const candidate = `candidate:1 1 udp 1 ${address} 5000 typ srflx`;
    this.onicecandidate?.({ candidate: address === null ? null : { toJSON: () => ({ candidate, sdpMid: "0" }) } });
  }
}

const SERVERS = [{ urls: ["stun:a"] }];
let found: LocalCandidate[];
let reach: IceConfig;

beforeEach(() => {
  vi.stubGlobal("RTCPeerConnection", FakeConnection);
  vi.stubGlobal("MediaStream", class {});
  FakeConnection.refuses = false;
  [found, reach] = [[], new IceConfig()];
});
afterEach(() => void vi.unstubAllGlobals());

const offer = (peer: PeerConnection): string =>
  peer.offer(
    () => undefined,
    (candidate) => found.push(candidate),
  );
const addresses = (): (string | undefined)[] => found.map(({ candidate }) => candidate?.split(" ")[4]);

describe("ICE servers", () => {
  it("that came after a connection was prepared are used by it", async () => {
    const peer = await PeerConnection.prepare(reach);
    reach.setServers({ servers: SERVERS });
    expect(offer(peer)).toBe("offer");
    expect(FakeConnection.last.configuration).toMatchObject({
      iceServers: SERVERS,
      iceTransportPolicy: "all",
      bundlePolicy: "max-bundle",
    });
  });

  it("that the browser refuses cost no call", async () => {
    FakeConnection.refuses = true;
    const warned = vi.spyOn(console, "warn").mockReturnValue();
    reach.setServers({ servers: SERVERS });
    expect(offer(await PeerConnection.prepare(reach))).toBe("offer");
    expect(warned).toHaveBeenCalledOnce();
  });

  it("that are missing are no reason to take another way, where relays alone are wanted", async () => {
    offer(await PeerConnection.prepare(new IceConfig({ relayOnly: true })));
    expect(FakeConnection.last.configuration.iceTransportPolicy).toBe("relay");
  });
});

describe("candidates", () => {
  it("are told once the answer is applied, in the order in which they were found", async () => {
    reach.setServers({ servers: SERVERS });
    const peer = await PeerConnection.prepare(reach);
    offer(peer);
    FakeConnection.last.find("192.0.2.1");
    const answering = peer.answer("answer");
    FakeConnection.last.find("192.0.2.2");
    await settled();
    expect(found).toEqual([]);
    FakeConnection.last.applied();
    await answering;
    FakeConnection.last.find("192.0.2.3");
    FakeConnection.last.find(null);
    expect(addresses()).toEqual(["192.0.2.1", "192.0.2.2", "192.0.2.3", undefined]);
  });

  it("are no more than the server takes", async () => {
    reach.setServers({ servers: SERVERS });
    const peer = await PeerConnection.prepare(reach);
    offer(peer);
    for (let number = 0; number < 100; number++) FakeConnection.last.find(`192.0.2.${number}`);
    const answering = peer.answer("answer");
    FakeConnection.last.applied();
    await answering;
    expect(found).toHaveLength(MAX_CANDIDATES);
  });

  it("are kept to oneself where there are no ICE servers", async () => {
    offer(await PeerConnection.prepare(reach));
    expect(FakeConnection.last.onicecandidate).toBeNull();
  });
});
