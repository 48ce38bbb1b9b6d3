// Fixed data for the dashboard.

import type { Api } from "sip-proxy-client";
import { type LoggedEvent, readEvent } from "../dashboard/live";
import type { DashboardState } from "../dashboard/useDashboard";
import { NOW } from "./states";

const now = NOW / 1000;
const IDS = ["1k3fa8c2d1", "1k3fa9x07b", "1k3fb02qq4"] as const;

const event = (id: number, ago: number, name: string, callId: string | null, data: object): LoggedEvent =>
  readEvent(JSON.stringify({ id, at: now - ago, name, callId, data }))!;

const story = (first: number, ago: number, callId: string, target: string): LoggedEvent[] => {
  const call = { callId, caller: "1001", target };
  const channel = (state: string): object => ({ name: `PJSIP/trunk-${callId.slice(-4)}`, state });
  return [
    event(first + 6, ago, "call.changed", callId, { ...call, state: "accepted" }),
    event(first + 5, ago + 0.01, "ari", callId, { type: "ChannelStateChange", channel: channel("Up") }),
    event(first + 4, ago + 3, "call.changed", callId, { ...call, state: "ringing" }),
    event(first + 3, ago + 3, "ari", callId, { type: "Dial", peer: channel("Ringing"), dialstatus: "RINGING" }),
    event(first + 2, ago + 4, "ari", callId, {
      type: "ChannelEnteredBridge",
      channel: channel("Down"),
      bridge: { id: `${callId}.bridge` },
    }),
    event(first + 1, ago + 4, "ari", callId, { type: "StasisStart", channel: channel("Down") }),
    event(first, ago + 4, "call.started", callId, { ...call, state: "trying" }),
  ];
};

const call: Api.CallData = {
  callId: "",
  direction: "outbound",
  state: "accepted",
  target: "",
  caller: "",
  callerName: "",
  connectedNumber: "",
  connectedName: "",
  user: "1001",
  users: [],
  held: false,
  heldByFar: false,
  parties: [],
  transferring: null,
  left: null,
  leftAt: null,
  recordings: [],
  outcome: null,
  cause: null,
  createdAt: now,
  ringingAt: null,
  answeredAt: null,
  endedAt: null,
  ownerless: false,
  near: "page",
  metadata: {},
};

export const DASHBOARD: DashboardState = {
  forbidden: false,
  connected: true,
  live: {
    reason: null,
    lastEventId: 43,
    calls: [
      {
        ...call,
        callId: IDS[0],
        direction: "outbound",
        state: "accepted",
        target: "7012",
        caller: "1001",
        createdAt: now - 190,
        answeredAt: now - 184,
      },
      {
        ...call,
        callId: IDS[1],
        direction: "inbound",
        state: "accepted",
        target: "1002",
        caller: "7005",
        near: "sip",
        createdAt: now - 61,
        answeredAt: now - 52,
        heldByFar: true,
      },
      {
        ...call,
        callId: IDS[2],
        direction: "outbound",
        state: "ringing",
        target: "603",
        caller: "1004",
        createdAt: now - 4,
        answeredAt: null,
      },
    ],
    channels: IDS.flatMap((callId, index) => [
      {
        id: `${callId}.far`,
        name: `PJSIP/trunk-0000000${index}`,
        state: index === 2 ? "Ring" : "Up",
        caller: "",
        connected: "1001",
        createdAt: "",
        callId,
      },
      {
        id: `${callId}.media`,
        name: `UnicastRTP/127.0.0.1:3${index}024`,
        state: "Up",
        caller: "",
        connected: "",
        createdAt: "",
        callId,
      },
    ]),
    bridges: IDS.map((callId) => ({
      id: `${callId}.bridge`,
      technology: "simple_bridge",
      type: "mixing",
      channels: [`${callId}.far`, `${callId}.media`],
      callId,
    })),
  },
  stats: {
    since: now - 7200,
    activeCalls: 3,
    activeByState: { accepted: 2, ringing: 1 },
    started: { inbound: 18, outbound: 41 },
    outcomes: { completed: 44, busy: 5, no_answer: 6, failed_media: 1, lost: 1 },
    connections: 9,
    usersOnline: 7,
  },
  events: [...story(36, 2, IDS[2], "603").slice(2), ...story(22, 52, IDS[1], "1002"), ...story(8, 184, IDS[0], "7012")],
};
