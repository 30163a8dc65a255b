# p50 and p99 over the offered load, one colour for each bundle size. Called by sweep with `folder` and `bundles`.
set terminal svg size 800,500 font "sans-serif,13" background "white"
set output folder."/latency.svg"
set title "Latency over load (open loop, from the intended send time)"
set xlabel "offered operations in a second"
set ylabel "latency in ms"
set logscale xy
set format x "%.0f"
set format y "%g"
set grid xtics ytics linecolor rgb "#cccccc"
set key outside right top
file(bundle) = folder."/latency-".bundle.".tsv"
plot for [i=1:words(bundles)] file(word(bundles, i)) using 1:2 with linespoints linecolor i pointtype 7 pointsize 0.5 \
       title "bundle ".word(bundles, i).", p50", \
     for [i=1:words(bundles)] file(word(bundles, i)) using 1:3 with linespoints linecolor i dashtype 2 pointtype 6 \
       pointsize 0.5 title "bundle ".word(bundles, i).", p99"
