#!/bin/sh
# Places the calls of callers.txt, round after round, CALLERS_PAUSE_S seconds apart.
set -eu
share=/usr/local/share/callers
address=$(hostname -i | cut -d' ' -f1)

sends() { # WHAT: the step of the scenario
    case $1 in
        nothing) ;;
        key) echo '<pause milliseconds="2000"/><nop><action><exec play_dtmf="5"/></action></nop>' ;;
        *) echo "<nop><action><exec rtp_stream=\"$share/sounds/$1,1,0,PCMU/8000\"/></action></nop>" ;;
    esac
}

port() { # WHAT
    case $1 in
        nothing | key) echo media_port ;;
        *) echo rtpstream_audio_port ;;
    esac
}

call() { # NUMBER NAME DIALS SENDS STAYS_S
    echo "$2 calls $3"
    sed -e "s|@SENDS@|$(sends "$4")|" -e "s|@PORT@|$(port "$4")|" -e "s|@STAYS_MS@|${5}000|" \
        "$share/caller.xml" > "/tmp/$2.xml"
    started=$(date +%s)
    if sipp -sf "/tmp/$2.xml" -key dialled "$3" -key caller "200$1" -m 1 -nostdin -timer_resol 1 -timeout 120 \
        -i "$address" -mi "$address" -p $((5060 + $1)) -min_rtp_port $((16000 + 20 * $1)) \
        -max_rtp_port $((16019 + 20 * $1)) -trace_err -error_file "/tmp/$2.err" asterisk:5060 > /dev/null 2>&1
    then
        echo "$2 is done after $(($(date +%s) - started)) s"
    else
        echo "$2: the call went otherwise: $(grep -m 1 -o 'Aborting call.*' "/tmp/$2.err" 2>/dev/null || echo no answer)"
    fi
}

sleep 3 # the daemon's own test call, which proves that it can hear, comes first
while :; do
    touch /tmp/round
    number=0
    while read -r name dials what stays; do
        case $name in '' | '#'*) continue ;; esac
        number=$((number + 1))
        call "$number" "$name" "$dials" "$what" "$stays" &
        sleep 1
    done < "$share/callers.txt"
    wait
    echo "the next callers come in $CALLERS_PAUSE_S s"
    sleep "$CALLERS_PAUSE_S" &
    wait $!
done
