#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Outputs of predict, eval, convert and train: none is an input in any disguise, no two are one file, each is what its name says;
# refused before any work, with what was there untouched, -f or not. outputs.sh PROGRAM FIXTURES
program=$1 fixtures=$2
. "$(dirname "$0")/expect.sh"
unset METASEG_DATA
work=$(mktemp -d "$PWD/outputs.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
top=$PWD
cd "$work" || exit 1
log=$top/$log

prints() { { find . -printf '%p %y %l %i %m\n'; find . -type f -exec cksum {} +; } | sort; }

# refuse CODE PATTERN ARGUMENTS...: that exit code, one line with the pattern, no result, and every file as it was
refuse() {
    code=$1 pattern=$2
    shift 2
    prints >"$log.before"
    run "$@"
    prints >"$log.after"
    verdict=
    [ $got = "$code" ] || verdict="exit code $got, expected $code"
    [ "$(wc -l <"$log.err")" = 1 ] || verdict="$verdict; not one line"
    grep -q -e "^metaseg: error: .*$pattern" "$log.err" || verdict="$verdict; the error lacks '$pattern'"
    [ ! -s "$log.out" ] || verdict="$verdict; stdout is not empty"
    cmp -s "$log.before" "$log.after" || verdict="$verdict; files changed: $(diff "$log.before" "$log.after" | head -5)"
    [ -z "$verdict" ] || fail "metaseg $*: $verdict"
}
predict() { # CODE PATTERN ARGUMENTS...
    code=$1 pattern=$2
    shift 2
    refuse "$code" "$pattern" predict "$@" -q --threads 1 -m model.safetensors --data-folder share
}

cp "$fixtures/good.tif" image.tif
cp "$fixtures/model.safetensors" .
cp "$fixtures/good.tif" source.tif
mkdir share away
cp "$fixtures/share/koppen_geiger.bin" share/
ln -s image.tif link.tif
ln image.tif hard.tif
ln -s . here
band() { echo "<VRTRasterBand dataType=\"Byte\" band=\"$1\"><SimpleSource><SourceFilename relativeToVRT=\"1\">$2</SourceFilename><SourceBand>$1</SourceBand></SimpleSource></VRTRasterBand>"; }
mosaic() { # NAME SOURCE
    { echo '<VRTDataset rasterXSize="40" rasterYSize="30">'; band 1 "$2"; band 2 "$2"; band 3 "$2"; echo '</VRTDataset>'; } >"$1"
}
mosaic mosaic.vrt source.tif
mosaic away/outer.vrt ../mosaic.vrt
printf '0.05\n0\n0\n-0.05\n-169.975\n44.975\n' >source.tfw

# an input under every name, as every output
for name in ./image.tif "$work/image.tif" away/../image.tif here/image.tif link.tif hard.tif; do
    predict 2 'the map is the image' image.tif -o "$name" -f
done
for options in '' -f; do
    predict 2 'the map is the image' image.tif -o image.tif $options
    predict 2 'the map is the image' link.tif -o image.tif $options
    predict 2 'the confidence is the image' image.tif -o map.tif --confidence here/image.tif $options
    predict 2 'the raster of probabilities is the image' image.tif -o map.tif --probabilities hard.tif $options
done
ln image.tif picture.png
predict 2 'the quicklook is the image' image.tif -o map.tif --quicklook picture.png -f
rm picture.png
predict 2 'a source of the image' mosaic.vrt -o source.tif -f
predict 2 'a source of the image' away/outer.vrt -o source.tif -f
predict 2 'a source of the image' away/outer.vrt -o map.tif --confidence here/source.tif -f
cp mosaic.vrt mosaic.tif # a virtual raster under another name
predict 2 'a source of the image' mosaic.tif -o source.tif -f
rm mosaic.tif
cp image.tif map.tif.ovr # an image that the map would take for its own overviews
predict 2 'a side-car of the map is the image' map.tif.ovr -o map.tif -f
mv map.tif.ovr map.qml
predict 2 'a side-car of the map is the image' map.qml -o map.tif -f
rm map.qml
ln -s model.safetensors model.tif
ln -s share/koppen_geiger.bin climate.tif
predict 2 'the map is the model' image.tif -o model.tif -f
predict 2 'the confidence is the climate map' image.tif -o map.tif --confidence climate.tif -f
for bind in image.tif model.safetensors; do # the same file by another path, without any link
    if touch bound.tif && mount --bind $bind bound.tif 2>/dev/null; then
        predict 2 'the map is the ' image.tif -o bound.tif -f
        umount bound.tif
    fi
    rm -f bound.tif
done

# two outputs of one name, or one the side-car of another
for options in '' -f; do
    predict 2 'both the map and the confidence' image.tif -o m.tif --confidence m.tif $options
    predict 2 'both the map and the raster of prob' image.tif -o m.tif --probabilities here/m.tif $options
    predict 2 'both the confidence and the raster of prob' image.tif -o m.tif --confidence p.tif --probabilities ./p.tif $options
    predict 2 'no name for a PNG' image.tif -o m.tif --quicklook m.tif $options
    ln -s m.tif other.tif
    predict 2 'both the map and the confidence' image.tif -o m.tif --confidence other.tif $options
    rm other.tif
    echo older >m.tif
    ln -s m.tif.ovr other.tif
    predict 2 'both a side-car of the map and the confidence' image.tif -o m.tif --confidence other.tif -f
    rm other.tif
done
rm m.tif

# what the name says, and what is in the way
predict 2 'no name for a GeoTIFF' image.tif -o map.jpg
predict 2 'no name for a GeoTIFF' image.tif -o map.PNG -f
predict 2 'no name for a GeoTIFF' image.tif -o m.tif --confidence c.vrt
predict 2 'no name for a GeoTIFF' image.tif -o m.tif --probabilities p.jp2
predict 2 'no name for a PNG' image.tif -o m.tif --quicklook q.jpg
predict 2 'standard output' image.tif -o -
predict 2 'standard output' image.tif -o m.tif --confidence -
predict 2 'names a folder' image.tif -o nowhere/
predict 2 'need a folder' image.tif source.tif -o maps.tif
predict 2 'need a folder' image.tif source.tif -o -

# devices, pipes, folders and long names in the way
mkfifo pipe.tif
ln -s /dev/null null.tif
mkdir folder.tif
predict 6 'is a pipe' image.tif -o pipe.tif -f
predict 6 'is a device' image.tif -o null.tif -f
predict 6 'is a device' image.tif -o m.tif --confidence null.tif -f
predict 6 'is a folder' image.tif -o m.tif --confidence folder.tif -f
mkdir m.tif.msk
predict 6 'm.tif.msk.: is a folder' image.tif -o m.tif -f
rmdir m.tif.msk folder.tif
rm pipe.tif null.tif
long=$(printf '%0246d' 7).tif
predict 6 'shorter name' image.tif -o "$long"

# what would take gigabytes is refused before it is taken
predict 6 'tiles of 4096 pixels would take about [0-9]* MiB' image.tif -o m.tif --tile 4096
mosaic wide.vrt source.tif
sed -i 's/rasterXSize="40"/rasterXSize="4000000"/' wide.vrt
sed -i 's|<VRTRasterBand|<SRS>EPSG:4326</SRS><GeoTransform>-170,0.05,0,45,0,-0.05</GeoTransform>&|' wide.vrt
predict 6 'tiles of 512 pixels would take about [0-9]* MiB of memory, more than the 64 MiB' wide.vrt -o m.tif -b 1,2,3 --tile 512 --ram 64M
for size in 512 2X G -1G 1e9M; do
    predict 2 "--ram: '$size' is no size; expected a number and its unit" wide.vrt -o m.tif -b 1,2,3 --ram=$size
done
rm wide.vrt

# a batch: no map of one is an input of another
mkdir batch
cp image.tif batch/image_classes.tif
predict 2 "is the image 'batch/image_classes.tif'" image.tif batch/image_classes.tif -o batch -f
cp image.tif batch/source.tif
predict 2 "both the map of 'source.tif' and the map of 'batch/source.tif'" source.tif batch/source.tif -o batch -f
mosaic batch/b.vrt image_classes.tif
predict 2 "is a source of the image 'batch/b.vrt'" batch/b.vrt image.tif -o batch -f
rm -r batch

# a batch goes on behind a map that is there, and says so
mkdir maps
cp image.tif second.tif
echo older >maps/image_classes.tif
run predict image.tif second.tif -o maps -q --threads 1 -m model.safetensors --data-folder share
[ $got = 3 ] || fail "exit code $got of a batch with a map that is there"
[ "$(cat maps/image_classes.tif)" = older ] || fail "a map that was there is gone"
[ "$(cd maps && echo *)" = 'image_classes.tif second_classes.qml second_classes.tif second_classes.tif.aux.xml' ] || fail "a batch left $(ls maps)"
grep -q "image_classes.tif': exists already" "$log.err" || fail "the map that was there is not named"

# a style of somebody else's stays, with a warning; a copy of the TIFF alone keeps its names
echo mine >maps/second_classes.qml
run predict second.tif -o maps/second_classes.tif -f -q --threads 1 -m model.safetensors --data-folder share
[ $got = 0 ] && [ "$(cat maps/second_classes.qml)" = mine ] || fail "a style was replaced"
grep -q 'warning: .*second_classes.qml.*stays' "$log.err" || fail "no word about the style that stays"
cp maps/second_classes.tif copy.tif
"$program" info maps/second_classes.tif | sed 1d >info.beside
"$program" info copy.tif | sed 1d >info.alone
cmp -s info.beside info.alone || fail "a copy of the TIFF alone lost: $(diff info.beside info.alone | head -3)"
grep -q 'holds *classes' info.alone || fail "the map does not say what it is: $(cat info.alone)"
rm -r maps second.tif copy.tif info.*

# eval
for out in image.tif link.tif hard.tif source.tif source.tfw source.tif.aux.xml; do
    ln -s $out out.json
    refuse 2 'is .*, which is read' eval image.tif source.tif --json out.json -f
    mv out.json out.csv
    refuse 2 'is .*, which is read' eval source.tif image.tif --csv out.csv -f
    rm out.csv
done
ln -s image.tif f.json
refuse 2 'the JSON of the figures is the map' eval image.tif source.tif --json f.json -f
refuse 2 'both the JSON of the figures and the CSV' eval image.tif source.tif --json x --csv ./x
refuse 2 'no name for a JSON text' eval image.tif source.tif --json x.csv
refuse 2 'standard output' eval image.tif source.tif --csv -
echo older >x.csv
refuse 6 "x.csv': exists already" eval image.tif source.tif --csv x.csv
rm x.csv f.json

# convert
for name in model.safetensors ./here/model.safetensors; do
    refuse 2 'is the file to convert' convert model.safetensors "$name"
    refuse 2 'is the file to convert' convert model.safetensors "$name" -f
done
refuse 2 'no name for a safetensors file' convert model.safetensors model.pth

# train: the run folder
configure() { # OUTPUT
    {
        echo 'name: x'
        echo 'model: { fusion: none, gsd_min: 0.001, gsd_max: 0.01, gsd_unit: degree, encoder_weights: runs/best.safetensors }'
        echo 'data: { scenes: [{ name: x, image: image.tif, labels: labels.vrt, bands: [1, 2, 3] }],'
        echo '        classes: [{ value: 0, name: a, color: "#000000" }, { value: 1, name: b, color: "#ffffff" }] }'
        echo "train: { window: 256, batch: 1, steps: 1, warmup_steps: 0, output: $1 }"
    } >"$2"
}
mkdir runs runs/linked
mosaic labels.vrt source.tif
cp model.safetensors runs/best.safetensors
ln -s ../../source.tif runs/linked/metrics.csv
mkdir runs/mosaic
ln source.tif runs/mosaic/last.safetensors
configure . config.yaml
configure runs runs.yaml
configure runs/linked linked.yaml
configure runs/mosaic mosaic.yaml
configure image.tif image.yaml
for options in -f; do
    refuse 2 'a file of the run folder is the configuration' train config.yaml -q $options
    refuse 2 'a file of the run folder is the weights of the encoder' train runs.yaml -q $options
    refuse 2 'a file of the run folder is a source of a label raster' train linked.yaml -q $options
    refuse 2 'a file of the run folder is a source of a label raster' train mosaic.yaml -q $options
    refuse 2 'the run folder is an image' train image.yaml -q $options
done
exit $failed
