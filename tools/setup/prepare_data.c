/* SPDX-License-Identifier: Apache-2.0
 *
 * Set-up's own program: brings downloaded files into the form the program reads.
 *
 *     prepare_data climate IMAGE.png ZONES.csv OUT.bin
 *     prepare_data georeference IMAGE OUT.tif WEST SOUTH EAST NORTH EPSG
 */
#include "base/str.h"
#include "geo/climate.h"
#include "geo/raster_write.h"

#include <stdio.h>
#include <string.h>

static Err georeference(char **words)
{
    double bounds[4];
    int64_t epsg = 0;
    for (int i = 0; i < 4; i++) TRY(str_parse_double(words[2 + i], "bounds", -1e9, 1e9, &bounds[i]));
    TRY(str_parse_int(words[6], "EPSG", 1, 999999, &epsg));
    Raster *raster = NULL;
    TRY(raster_open(words[0], NULL, &raster));
    const Err err = raster_write_georeferenced(raster, bounds, (int)epsg, words[1], true);
    raster_close(raster);
    return err;
}

int main(int argc, char **argv)
{
    Err err = ERR_NONE;
    if (argc == 5 && strcmp(argv[1], "climate") == 0)
        err = climate_convert(argv[2], argv[3], argv[4], 1);
    else if (argc == 9 && strcmp(argv[1], "georeference") == 0)
        err = georeference(argv + 2);
    else
        err = err_set(ERR_ARGUMENT, "usage: prepare_data climate IMAGE CSV OUT | georeference IMAGE OUT W S E N EPSG");
    if (err != ERR_NONE) (void)fprintf(stderr, "prepare_data: error: %s\n", err_message());
    return err_exit_code(err);
}
