/* SPDX-License-Identifier: Apache-2.0
 * Choosing and calling kernels. */
#include "graph/op.h"

#include <string.h>

Err step_choose(const OpDef *op, const Step *step, const Kernel **ret_kernel)
{
    for (const Kernel *const *entry = op->kernels; *entry != NULL; entry++) {
        const Kernel *kernel = *entry;
        if (kernel->device != step->device.kind || kernel->isa > step->device.isa) continue;
        if (step->training && kernel->backward == NULL && (op->flags & OP_NO_GRAD) == 0) continue; /* inference only */
        if (kernel->suits != NULL && !kernel->suits(step)) continue;
        *ret_kernel = kernel;
        return ERR_NONE;
    }
    return err_set(ERR_UNSUPPORTED, "op '%s': no kernel for these shapes and attributes on this device (level '%s')",
                   op->name, cpu_isa_name(step->device.isa));
}

int64_t step_multiply_adds(const OpDef *op, const Step *step)
{
    return op->multiply_adds != NULL ? op->multiply_adds(step) : 0;
}

Err step_prepare(const Kernel *kernel, Step *step)
{
    step->state = NULL;
    step->workspace_bytes = 0;
    return kernel->prepare != NULL ? kernel->prepare(step) : ERR_NONE;
}

Err step_pack(const Kernel *kernel, Step *step) { return kernel->pack != NULL ? kernel->pack(step) : ERR_NONE; }

/* True for the op that this build falsifies on purpose (CMake option METASEG_BREAK), so that a test run can show that
 * the tests notice a wrong kernel. Always false in a normal build. */
static bool is_broken(const OpDef *op) { return METASEG_BREAK[0] != '\0' && strcmp(METASEG_BREAK, op->name) == 0; }

Err step_forward(const OpDef *op, const Kernel *kernel, const Step *step)
{
    TRY(kernel->forward(step));
    if (is_broken(op) && step->out[0].dtype == DTYPE_F32) *(float *)step->out[0].data += 1.0F;
    return ERR_NONE;
}

Err step_backward(const OpDef *op, const Kernel *kernel, const Step *step)
{
    if (kernel->backward == NULL)
        return err_set(ERR_UNSUPPORTED, "op '%s', kernel '%s': has no gradient", op->name, kernel->name);
    return kernel->backward(step);
}

void step_release(const Kernel *kernel, Step *step)
{
    if (kernel->release != NULL) kernel->release(step);
    step->state = NULL;
}
