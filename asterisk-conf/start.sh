#!/bin/sh
# Fills the environment's settings into the configuration and becomes Asterisk. For the container.
set -eu
: "${ARI_PASSWORD:?ARI_PASSWORD is not set: it is the password that the front end shows to ARI}"
export RUN=/srv/pbx
umask 077
mkdir -p $RUN/etc $RUN/lib/sounds $RUN/lib/moh $RUN/log $RUN/run $RUN/spool/recording $RUN/spool/monitor $RUN/spool/voicemail
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
# The PINs of the demo's voicemail boxes, new at each start: pages need none to hear their own.
for box in 1001 1002 1003 1004 1005 1006 1007 1008 1009; do
  pin=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
  sed -i "s|^@MAILBOXES@|$box => $pin,Browser user $box\n@MAILBOXES@|" $RUN/etc/voicemail.conf
done
sed -i '/^@MAILBOXES@/d' $RUN/etc/voicemail.conf
exec asterisk -f -n -C $RUN/etc/asterisk.conf
