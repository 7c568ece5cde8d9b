/* SPDX-License-Identifier: Apache-2.0
 * Version of oneDNN; this file belongs to builds with and without it. */
#include "ops/library_version.h"

#include <stdio.h>

#if METASEG_WITH_ONEDNN
#include <dnnl.h>

void ops_library_version(char *ret_text, size_t bytes)
{
    const dnnl_version_t *version = dnnl_version();
    const char *threads = version->cpu_runtime == DNNL_RUNTIME_OMP ? "OpenMP" : "other threads than ours (slow)";
    (void)snprintf(ret_text, bytes, "%d.%d.%d, %s", version->major, version->minor, version->patch, threads);
}
#else
void ops_library_version(char *ret_text, size_t bytes) { (void)snprintf(ret_text, bytes, "not in this build"); }
#endif
