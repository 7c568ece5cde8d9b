/* SPDX-License-Identifier: Apache-2.0
 * The table of a program, for people. */
#include "graph/program_internal.h"

#include <stdio.h>

enum { ROW_BYTES = 512 };

/* "  123.4" microseconds per run, or spaces. */
static const char *time_text(double seconds, int64_t runs, char text[32])
{
    if (runs > 0)
        (void)snprintf(text, 32, "%10.1f", 1e6 * seconds / (double)runs);
    else
        (void)snprintf(text, 32, "%10s", "");
    return text;
}

static void print_step(const Program *program, int32_t index, char *row)
{
    const ProgramStep *step = &program->steps[index];
    const ProgramValue *out = &program->values[step->first_out];
    char shape[96], forward[32], backward[32], offset[32] = "-";
    if (out->buffer >= 0) (void)snprintf(offset, sizeof offset, "%zu", program->buffers[out->buffer].offset);
    (void)snprintf(row, ROW_BYTES, "%4d  %-40s %-20s %-8s %-4s %-22s %9.2f %12s %10zu %s %s", index, step->path,
                   step->op->name, step->kernel->name, dtype_name(out->tensor.dtype),
                   shape_text(&out->tensor.shape, shape, sizeof shape),
                   1e-6 * (double)step_multiply_adds(step->op, &step->step), offset, step->step.workspace_bytes,
                   time_text(step->forward_seconds, program->profiled_forward, forward),
                   time_text(step->backward_seconds, program->profiled_backward, backward));
}

void program_print(const Program *program, void (*row)(void *context, const char *line), void *context)
{
    char line[ROW_BYTES], forward_text[32], backward_text[32];
    double forward = 0, backward = 0;
    (void)snprintf(line, sizeof line, "%4s  %-40s %-20s %-8s %-4s %-22s %9s %12s %10s %10s %10s", "step", "module",
                   "op", "kernel", "type", "output", "MMAC", "offset", "scratch", "fwd us", "bwd us");
    row(context, line);
    for (int32_t s = 0; s < program->n_steps; s++) {
        print_step(program, s, line);
        row(context, line);
        forward += program->steps[s].forward_seconds;
        backward += program->steps[s].backward_seconds;
    }
    const ProgramStats stats = program_stats(program);
    (void)snprintf(line, sizeof line,
                   "%lld steps, %lld backward; %.3f GMAC; arena %.2f MiB (%.2f MiB without reuse), largest scratch "
                   "%.2f MiB; %s us "
                   "forward, %s us backward",
                   (long long)stats.forward_steps, (long long)stats.backward_steps, 1e-9 * (double)stats.multiply_adds,
                   (double)stats.arena_bytes / 1048576.0, (double)stats.unplanned_bytes / 1048576.0,
                   (double)stats.workspace_bytes / 1048576.0,
                   time_text(forward, program->profiled_forward, forward_text),
                   time_text(backward, program->profiled_backward, backward_text));
    row(context, line);
}
