#!/bin/sh
# make-sounds PROMPTS FOLDER: what each kind of caller sends from the answer on, as headerless mu-law for SIPp. The voice
# is a person's, from Asterisk's sound package.
set -eu
prompts=$1
folder=$2
voice=/usr/share/asterisk/sounds/en_US_f_Allison/demo-congrats.wav

seconds() {
    soxi -D "$prompts/$1.wav"
}

says() { # FILE SECONDS: three seconds of speech after that much silence
    sox "$voice" -r 8000 -c 1 -t ul "$folder/$1" silence 1 0.05 1% trim 0 3 pad "$2" 1
}

mkdir -p "$folder"
sox -n -r 8000 -c 1 -t ul "$folder/silence.ul" trim 0 40
says speech-after-2s.ul 2
# Greeting, 3 s, "can you hear me", 3 s: then the goodbye begins; the caller speaks 1.5 s into it.
says speech-in-goodbye.ul "$(awk -v a="$(seconds greeting)" -v b="$(seconds can_you_hear)" 'BEGIN { print a + b + 7.5 }')"
