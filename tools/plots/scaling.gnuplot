# Processor time for an operation with its cryptographic floor, and throughput, over the number of replicas. Called by
# sweep with `folder`.
set terminal svg size 800,500 font "sans-serif,13" background "white"
set output folder."/scaling.svg"
set title "Cost and throughput over the number of replicas (closed loop, bundles of 16)"
set xlabel "replicas n"
set ylabel "processor time an operation, all replicas, µs"
set offsets 0.5, 0.5, 0, 0
set y2label "operations in a second"
set yrange [0:*]
set y2range [0:*]
set xtics 1
set ytics nomirror
set y2tics
set grid xtics ytics linecolor rgb "#cccccc"
set key outside bottom center horizontal
plot folder."/scaling.tsv" using 1:2 with linespoints linecolor 1 pointtype 7 title "processor time", \
     folder."/scaling.tsv" using 1:3 with linespoints linecolor 1 dashtype 2 pointtype 6 title "its cryptographic floor", \
     folder."/scaling.tsv" using 1:4 axes x1y2 with linespoints linecolor 2 pointtype 7 title "throughput (right)"
