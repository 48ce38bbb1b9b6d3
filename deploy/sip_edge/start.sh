#!/bin/sh
# Starts the SIP edge: makes of the settings (docs/DIRECT_SIP.md) what kamailio.cfg reads, and becomes Kamailio.
# Needs a folder that it may write to in SIP_EDGE_RUN_DIR; runs as whoever calls it.
set -eu
fail() { echo "sip-edge: $1" >&2; exit 64; }
here=$(cd "$(dirname "$0")" && pwd)

: "${SIP_HOST:=127.0.0.1}" "${SIP_HOST_6:=}" "${SIP_PORT:=5060}" "${SIP_TLS_PORT:=5061}"
: "${SIP_REALM:=ari-bridge}" "${SIP_DIGEST:=MD5}" "${SIP_TRUSTED:=}"
: "${SIP_EDGE_PBX:=127.0.0.1:5080}" "${SIP_EDGE_PBX_SOCKET:=127.0.0.2:5060}" "${SIP_EDGE_RPC_PORT:=5064}"
: "${FRONT_END_URL:=http://127.0.0.1:3000}" "${RTPENGINE_NG:=127.0.0.1:2223}"
: "${SIP_EDGE_RUN_DIR:?a folder that may be written to}" "${SIP_EDGE_TOKEN_FILE:?the file with the token of the front end}"
: "${TLS_CERT:=}" "${TLS_KEY:=}" "${SIP_TLS_CLIENT_CA:=}" "${FRONT_END_CA:=}"

SIP_EDGE_TOKEN=$(cat "$SIP_EDGE_TOKEN_FILE")
case $SIP_EDGE_TOKEN in *[!A-Za-z0-9._~+/=-]*) fail "SIP_EDGE_TOKEN_FILE: not a token" ;; esac
[ ${#SIP_EDGE_TOKEN} -ge 32 ] || fail "SIP_EDGE_TOKEN_FILE: at least 32 characters, for example by openssl rand -hex 32"
# The same after every start: what it signs in dialogs and nonces outlives a restart.
SIP_EDGE_SECRET=$(printf 'sip-edge:%s' "$SIP_EDGE_TOKEN" | sha256sum | cut -c1-64)
case $SIP_DIGEST in
  MD5) HA1_FIELD=ha1 ;;
  SHA-256) HA1_FIELD=ha1Sha256 ;;
  *) fail "SIP_DIGEST: MD5 or SHA-256" ;;
esac
PBX_URI=sip:$SIP_EDGE_PBX PBX_SOCKET_HOST=${SIP_EDGE_PBX_SOCKET%:*} PBX_SOCKET_PORT=${SIP_EDGE_PBX_SOCKET##*:}

umask 077
mkdir -p "$SIP_EDGE_RUN_DIR"
# group, destination, flags, priority, attributes (dispatcher)
echo "1 sip:$SIP_EDGE_PBX 0 0 socket=udp:$SIP_EDGE_PBX_SOCKET" >"$SIP_EDGE_RUN_DIR/pbx.list"
# group, address, mask, port, user (permissions): of ADDRESS[/MASK][=USER],…
for entry in $(echo "$SIP_TRUSTED" | tr ',' ' '); do
  network=${entry%%=*} user=''
  case $entry in *=*) user=${entry#*=} ;; esac
  case $network in */*) ;; *:*) network=$network/128 ;; *) network=$network/32 ;; esac
  echo "1 ${network%/*} ${network#*/} 0 $user"
done >"$SIP_EDGE_RUN_DIR/trusted.list"

set -- -A "LISTEN_UDP=udp:$SIP_HOST:$SIP_PORT" -A "LISTEN_TCP=tcp:$SIP_HOST:$SIP_PORT" \
  -A "LISTEN_PBX=udp:$SIP_EDGE_PBX_SOCKET" -A "LISTEN_RPC=tcp:127.0.0.1:$SIP_EDGE_RPC_PORT"
[ -z "$SIP_HOST_6" ] || set -- "$@" -A "LISTEN_UDP_6=udp:[$SIP_HOST_6]:$SIP_PORT" -A "LISTEN_TCP_6=tcp:[$SIP_HOST_6]:$SIP_PORT"
if [ -n "$TLS_CERT" ]; then
  set -- "$@" -A "LISTEN_TLS=tls:$SIP_HOST:$SIP_TLS_PORT" -A "TLS_CERTIFICATE=\"$TLS_CERT\"" -A "TLS_PRIVATE_KEY=\"$TLS_KEY\""
  [ -z "$SIP_HOST_6" ] || set -- "$@" -A "LISTEN_TLS_6=tls:[$SIP_HOST_6]:$SIP_TLS_PORT"
  [ -z "$SIP_TLS_CLIENT_CA" ] || set -- "$@" -A "TLS_CLIENT_CA=\"$SIP_TLS_CLIENT_CA\""
fi
[ -z "$FRONT_END_CA" ] || set -- "$@" -A "FRONT_END_CA=\"$FRONT_END_CA\""

RTPENGINES='' RTPENGINE_COUNT=0
: >"$SIP_EDGE_RUN_DIR/rtpengines.cfg"
for node in $(echo "$RTPENGINE_NG" | tr ',' ' '); do
  node=${node%%\**}  # a weight is for the front end's choice
  RTPENGINES="$RTPENGINES udp:$node"
  echo "modparam(\"rtpengine\", \"rtpengine_sock\", \"$((11 + RTPENGINE_COUNT)) == udp:$node\")" >>"$SIP_EDGE_RUN_DIR/rtpengines.cfg"
  RTPENGINE_COUNT=$((RTPENGINE_COUNT + 1))
done
RTPENGINES=${RTPENGINES# }
export SIP_EDGE_TOKEN SIP_EDGE_SECRET FRONT_END_URL PBX_URI PBX_SOCKET_HOST PBX_SOCKET_PORT SIP_EDGE_RPC_PORT SIP_REALM \
  SIP_DIGEST HA1_FIELD RTPENGINES RTPENGINE_COUNT SIP_EDGE_RUN_DIR
exec kamailio -DD -E -f "$here/kamailio.cfg" -Y "$SIP_EDGE_RUN_DIR" "$@"
