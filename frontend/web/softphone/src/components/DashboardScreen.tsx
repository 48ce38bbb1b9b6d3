// The dashboard for given data. Knows no server: the gallery shows it with fixed data.

import { ArrowDownLeft, ArrowUpRight, LogOut, Pause, Play, Search, X } from "lucide-react";
import { useState } from "react";
import type { Api } from "sip-proxy-client";
import { answeredShare, type LoggedEvent, nearOf, passes, summaryOf, titleOf } from "../dashboard/live";
import type { DashboardState } from "../dashboard/useDashboard";
import type { Operating } from "../dashboard/useOperating";
import { NO_DASHBOARD, SIGN_OUT } from "../texts";
import { EndCall, OutgoingSwitch } from "./OutgoingSwitch";
import { clock, relativeTime, useNow } from "./time";
import { VirtualRows } from "./VirtualRows";

export interface DashboardScreenProps {
  state: DashboardState;
  filter: string;
  paused: boolean;
  now?: number; // fixed, for pictures
  onFilter(filter: string): void;
  onPause(paused: boolean): void;
  onSignOut: (() => void) | null; // null without sign-in
  operating?: Operating; // what the user may do with calls of others
}

const PRESETS: readonly (readonly [filter: string, label: string])[] = [
  ["", "All"],
  ["name:call.", "Calls"],
  ["name:ari", "ARI"],
  ["name:call.ended", "Ended"],
];

const NOT_KNOWN = "Not known yet.";

export function DashboardScreen({
  state,
  filter,
  paused,
  now: fixed,
  onFilter,
  onPause,
  onSignOut,
  operating,
}: DashboardScreenProps) {
  const ticking = useNow(1000, fixed === undefined && !paused);
  const now = fixed ?? ticking;
  const [chosen, setChosen] = useState<number | null>(null);
  const { live, stats, events, connected, forbidden } = state;
  const shown = events.filter((event) => passes(event, filter));
  const detail = events.find((event) => event.id === chosen);
  return (
    <main className="board">
      <header className="board-bar">
        <h1>Live</h1>
        <span
          className={`pill ${connected ? "pill-good" : "pill-bad"}`}
          data-testid="connection"
          data-connected={connected}
          role="status"
        >
          <i aria-hidden="true" />
          {connected ? "Connected" : "Reconnecting…"}
        </span>
        {forbidden && (
          <span className="pill pill-bad" role="alert">
            {NO_DASHBOARD}
          </span>
        )}
        {live?.reason && (
          <span className="pill pill-bad" role="alert">
            {live.reason}
          </span>
        )}
        <span className="space" />
        {operating && <OutgoingSwitch operating={operating} />}
        <button type="button" className="tool" onClick={() => onPause(!paused)} aria-pressed={paused} title="Pause (P)">
          {paused ? <Play size={15} aria-hidden="true" /> : <Pause size={15} aria-hidden="true" />}
          {paused ? "Go on" : "Pause"}
        </button>
        <a className="tool" href="./">
          Softphone
        </a>
        {onSignOut && (
          <button type="button" className="tool" onClick={onSignOut} aria-label={SIGN_OUT}>
            <LogOut size={15} />
          </button>
        )}
      </header>
      {stats && <Figures stats={stats} now={now} />}
      <div className="board-grid">
        <Panel title="Calls" count={live?.calls.length}>
          <VirtualRows
            rows={live?.calls ?? []}
            height={46}
            keyOf={(call) => call.callId}
            label="Live calls"
            testId="live-calls"
            empty={live ? "Nobody is on a call." : NOT_KNOWN}
            render={(call) => (
              <CallRow
                call={call}
                now={now}
                onFilter={onFilter}
                onEnd={operating?.mayEnd ? operating.endCall : undefined}
              />
            )}
          />
        </Panel>
        <Panel title="Channels" count={live?.channels.length}>
          <VirtualRows
            rows={live?.channels ?? []}
            height={46}
            keyOf={(channel) => channel.id}
            label="Live channels"
            testId="live-channels"
            empty={live ? "No channel." : NOT_KNOWN}
            render={(channel) => <ChannelRow channel={channel} onFilter={onFilter} />}
          />
        </Panel>
        <Panel title="Bridges" count={live?.bridges.length}>
          <VirtualRows
            rows={live?.bridges ?? []}
            height={46}
            keyOf={(bridge) => bridge.id}
            label="Live bridges"
            testId="live-bridges"
            empty={live ? "No bridge." : NOT_KNOWN}
            render={(bridge) => <BridgeRow bridge={bridge} onFilter={onFilter} />}
          />
        </Panel>
        <section className="panel log" aria-label="Events">
          <div className="panel-head">
            <h2>
              Events <small>{filter ? `${shown.length} of ${events.length}` : events.length}</small>
            </h2>
            <span className="presets">
              {PRESETS.map(([value, label]) => (
                <button
                  key={label}
                  type="button"
                  className="preset"
                  aria-pressed={filter === value}
                  onClick={() => onFilter(value)}
                >
                  {label}
                </button>
              ))}
            </span>
            <label className="filter">
              <Search size={15} aria-hidden="true" />
              <input
                data-testid="event-filter"
                value={filter}
                onChange={(event) => onFilter(event.target.value)}
                placeholder="Filter: words, call id, number…"
                aria-label="Filter events"
                spellCheck={false}
              />
              {filter && (
                <button type="button" onClick={() => onFilter("")} aria-label="Clear the filter">
                  <X size={15} />
                </button>
              )}
            </label>
          </div>
          <VirtualRows
            rows={shown}
            height={30}
            keyOf={(event) => event.id}
            label="Events, the newest first"
            testId="event-log"
            empty={events.length > 0 ? "No event passes the filter." : live ? "Nothing has happened yet." : NOT_KNOWN}
            render={(event) => (
              <EventRow event={event} now={now} chosen={event.id === chosen} onChoose={setChosen} onFilter={onFilter} />
            )}
          />
          {detail && <Detail event={detail} onClose={() => setChosen(null)} />}
        </section>
      </div>
    </main>
  );
}

function Panel({ title, count, children }: { title: string; count: number | undefined; children: React.ReactNode }) {
  return (
    <section className="panel" aria-label={title}>
      <div className="panel-head">
        <h2>
          {title} <small>{count ?? "…"}</small>
        </h2>
      </div>
      {children}
    </section>
  );
}

function Figures({ stats, now }: { stats: NonNullable<DashboardState["stats"]>; now: number }) {
  const share = answeredShare(stats.outcomes);
  const { failed_media = 0, failed_pbx = 0, lost = 0 } = stats.outcomes;
  const failed = failed_media + failed_pbx + lost;
  const figures: readonly (readonly [label: string, value: string, bad?: boolean, title?: string])[] = [
    ["Calls now", String(stats.activeCalls)],
    ["Out", String(stats.started.outbound)],
    ["In", String(stats.started.inbound)],
    ["Answered", share === null ? "–" : `${Math.round(share * 100)} %`],
    ["Failed", String(failed), failed > 0, `failed_media ${failed_media}, failed_pbx ${failed_pbx}, lost ${lost}`],
    ["Users", String(stats.usersOnline)],
    ["Pages", String(stats.connections)],
  ];
  return (
    <dl className="totals" title={`Since ${new Date(stats.since * 1000).toLocaleString()}`}>
      {figures.map(([label, value, bad, title]) => (
        <div key={label} className={bad ? "bad" : ""} title={title}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
      <div>
        <dt>Since</dt>
        <dd>{relativeTime(stats.since * 1000, now)}</dd>
      </div>
    </dl>
  );
}

const STATE_TONES: Record<string, string> = {
  accepted: "good",
  trying: "busy",
  ringing: "busy",
  early: "busy",
  accepting: "busy",
  held: "busy",
  Up: "good",
  Ring: "busy",
  Ringing: "busy",
};

const State = ({ state }: { state: string }) => (
  <span className={`tag tag-${STATE_TONES[state] ?? "plain"}`}>{state}</span>
);

function Story({ id, onFilter }: { id: string | null; onFilter(filter: string): void }) {
  if (!id) return <span className="id">not ours</span>;
  return (
    <button type="button" className="id" onClick={() => onFilter(id)} title={`The story of call ${id}`}>
      {id}
    </button>
  );
}

interface CallRowProps {
  call: Api.CallData;
  now: number;
  onFilter(filter: string): void;
  onEnd: ((callId: string) => void) | undefined;
}

function CallRow({ call, now, onFilter, onEnd }: CallRowProps) {
  const inbound = call.direction === "inbound";
  const near = nearOf(call);
  return (
    <>
      <span className="row-icon" title={inbound ? "Inbound" : "Outbound"}>
        {inbound ? <ArrowDownLeft size={16} /> : <ArrowUpRight size={16} />}
      </span>
      <span className="row-main">
        <b>
          {call.callerName || call.caller || "unknown"} → {call.target}
        </b>
        <Story id={call.callId} onFilter={onFilter} />
      </span>
      {near && (
        <span className="row-more" title={near.title}>
          {near.label}
        </span>
      )}
      <State state={call.heldByFar ? "held" : call.state} />
      <span className="row-time" title={new Date(call.createdAt * 1000).toLocaleString()}>
        {clock(now - (call.answeredAt ?? call.createdAt) * 1000)}
      </span>
      {onEnd && <EndCall callId={call.callId} onEnd={onEnd} />}
    </>
  );
}

function ChannelRow({ channel, onFilter }: { channel: Api.ChannelData; onFilter(filter: string): void }) {
  return (
    <>
      <span className="row-main">
        <b title={channel.id}>{channel.name}</b>
        <Story id={channel.callId} onFilter={onFilter} />
      </span>
      {(channel.caller || channel.connected) && (
        <span className="row-more">{[channel.caller, channel.connected].filter(Boolean).join(" · ")}</span>
      )}
      <State state={channel.state} />
    </>
  );
}

function BridgeRow({ bridge, onFilter }: { bridge: Api.BridgeData; onFilter(filter: string): void }) {
  const count = bridge.channels.length;
  return (
    <>
      <span className="row-main">
        <b title={bridge.id}>
          {bridge.type} <small>{bridge.technology}</small>
        </b>
        <Story id={bridge.callId} onFilter={onFilter} />
      </span>
      <span className="tag tag-plain" title={bridge.channels.join("\n")}>
        {count} {count === 1 ? "channel" : "channels"}
      </span>
    </>
  );
}

interface EventRowProps {
  event: LoggedEvent;
  now: number;
  chosen: boolean;
  onChoose(id: number): void;
  onFilter(filter: string): void;
}

function EventRow({ event, now, chosen, onChoose, onFilter }: EventRowProps) {
  const at = event.at * 1000;
  return (
    <div className={chosen ? "event chosen" : "event"}>
      <span className="event-time" title={new Date(at).toISOString()}>
        {relativeTime(at, now)}
      </span>
      <button
        type="button"
        className={`event-name ${event.name === "ari" ? "" : "ours"}`}
        onClick={() => onChoose(event.id)}
        aria-label={`${titleOf(event)}: show all of it`}
      >
        {titleOf(event)}
      </button>
      <span className="event-text" title={summaryOf(event)}>
        {summaryOf(event)}
      </span>
      {event.callId && <Story id={event.callId} onFilter={onFilter} />}
    </div>
  );
}

function Detail({ event, onClose }: { event: LoggedEvent; onClose(): void }) {
  return (
    <div className="detail">
      <div className="panel-head">
        <h2>
          {titleOf(event)}{" "}
          <small>
            #{event.id} · {new Date(event.at * 1000).toLocaleTimeString()}
          </small>
        </h2>
        <button type="button" className="tool" onClick={onClose}>
          Close
        </button>
      </div>
      <pre tabIndex={0}>{JSON.stringify(event.data, null, 2)}</pre>
    </div>
  );
}
