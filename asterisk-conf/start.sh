#!/bin/sh
# Fills the environment's settings into the configuration and becomes Asterisk. For the container.
set -eu
: "${ARI_PASSWORD:?ARI_PASSWORD is not set: it is the password that the front end shows to ARI}"
export RUN=/srv/pbx
umask 077
mkdir -p $RUN/etc $RUN/lib/sounds $RUN/lib/moh $RUN/log $RUN/run $RUN/spool/recording $RUN/spool/monitor
cp /usr/local/share/pbx/music.wav $RUN/lib/sounds/music.wav
cp /usr/local/share/pbx/music.wav $RUN/lib/moh/music.wav
for file in /usr/local/share/pbx/*.conf; do
  target=$RUN/etc/${file##*/}
  cp "$file" "$target"
  for name in RUN HOST ARI_PORT ARI_USER ARI_PASSWORD APP SIP_PORT TRUNK_PORT RTP_START RTP_END; do
    value=$(printenv $name | sed 's/[\\&|]/\\&/g')
    sed -i "s|@$name@|$value|g" "$target"
  done
done
exec asterisk -f -n -C $RUN/etc/asterisk.conf
