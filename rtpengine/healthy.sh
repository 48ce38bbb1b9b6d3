#!/usr/bin/env bash
# Exit status 0 when rtpengine answers an NG ping. For the container's health check.
set -eu
exec 3<>"/dev/udp/$NG_HOST/$NG_PORT"
printf 'ping d7:command4:pinge' >&3
answer=$(timeout 2 head -c 9 <&3)
[ "$answer" = "ping d6:r" ]
