/* SPDX-License-Identifier: Apache-2.0
 * A virtual raster for a while. */
#include "cli/mosaic_input.h"

#include "base/file.h"
#include "base/str.h"
#include "cli/cli.h"
#include "geo/image_mosaic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void mosaic_input_remove(char *path)
{
    char *folder = NULL;
    if (path == NULL) return;
    (void)file_remove(path);
    if (path_folder(path, &folder) == ERR_NONE) (void)rmdir(folder);
    free(folder);
    free(path);
}

Err mosaic_input_make(const InputList *inputs, char **ret_path)
{
    const char *place = cli_environment("TMPDIR");
    char *folder = NULL, *path = NULL;
    TRY(str_format(&folder, "%s/metaseg-mosaic-XXXXXX", place != NULL ? place : "/tmp"));
    Err err = mkdtemp(folder) != NULL ? ERR_NONE
                                      : err_set(ERR_OUTPUT,
                                                "'%s': no folder for the mosaic can be made there: %s; name "
                                                "another place with TMPDIR",
                                                place != NULL ? place : "/tmp", strerror(errno));
    if (err == ERR_NONE) err = path_join(folder, "mosaic.vrt", &path);
    free(folder);
    TRY(err);
    err = image_mosaic_write(inputs->count, (const char *const *)inputs->paths, path);
    if (err == ERR_NONE) {
        *ret_path = path;
        return ERR_NONE;
    }
    char message[ERR_MESSAGE_BYTES];
    (void)snprintf(message, sizeof message, "%s", err_message());
    mosaic_input_remove(path);
    return err_adopt(err, message);
}
