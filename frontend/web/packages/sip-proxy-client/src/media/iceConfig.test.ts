import { describe, expect, it } from "vitest";
import { candidateMessage, IceConfig } from "./iceConfig.js";

const SRFLX =
  "candidate:2 1 udp 1677729535 203.0.113.9 46154 typ srflx raddr 10.0.0.5 rport 46154 generation 0 ufrag EsAw";

describe("Reach", () => {
  it("has the servers that were told last", () => {
    const reach = new IceConfig();
    expect(reach.configuration).toEqual({ iceServers: [], iceTransportPolicy: "all" });
    expect(reach.usesTrickle).toBe(false);
    reach.setServers({ servers: [{ urls: ["stun:a"] }] });
    reach.setServers({ servers: [{ urls: ["turn:b"], username: "1:u", credential: "c" }] });
    expect(reach.configuration.iceServers).toEqual([{ urls: ["turn:b"], username: "1:u", credential: "c" }]);
    expect(reach.usesTrickle).toBe(true);
  });

  it("goes through relays alone where that was asked for", () => {
    expect(new IceConfig({ relayOnly: true }).configuration.iceTransportPolicy).toBe("relay");
  });
});

describe("asMessage", () => {
  it("has the candidate and where it belongs", () => {
    expect(candidateMessage({ candidate: SRFLX, sdpMid: "0", sdpMLineIndex: 0, usernameFragment: "EsAw" })).toEqual({
      candidate: SRFLX,
      sdpMid: "0",
      sdpMLineIndex: 0,
    });
  });

  it("says that there are no more", () => {
    expect(candidateMessage(null)).toEqual({});
    expect(candidateMessage({ candidate: "" })).toEqual({});
  });

  it("leaves out what the server cannot use", () => {
    expect(
      candidateMessage({ candidate: "candidate:1 1 tcp 1518280447 10.0.0.5 9 typ host tcptype active" }),
    ).toBeNull();
    expect(candidateMessage({ candidate: "candidate:1 1 udp 2122260223 0d3f9c0e-1b.local 58999 typ host" })).toBeNull();
  });
});
