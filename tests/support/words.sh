#!/bin/sh
# words.sh N: N documents of random words in three sources, the same every time.
awk -v n="$1" 'BEGIN {
    srand(7)
    for (i = 0; i < n; i++) {
        text = ""
        for (k = 0; k < 60; k++)
            text = text " w" int(rand() * rand() * 300) (k % 12 == 11 ? "." : "")
        printf "{\"id\":\"d%d\",\"source\":\"s%d\",\"text\":\"%s\"}\n", i, i % 3, text
    }
}'
