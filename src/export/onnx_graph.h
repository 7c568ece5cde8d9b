/* SPDX-License-Identifier: Apache-2.0
 *
 * A graph for inference as nodes of ONNX: a translator per op (onnx_translate.h), each beside a table keyed by the op's name.
 *
 * Our maps have their channels last, [B, H, W, C], those of ONNX first, [B, C, H, W]. A value exists in the form in which its node makes
 * it, and in the other one once a node asks for it, through one Transpose. What reads constants alone (positions resized to
 * the image) is computed here and becomes a constant.
 */
#ifndef METASEG_EXPORT_ONNX_GRAPH_H
#define METASEG_EXPORT_ONNX_GRAPH_H

#include "export/onnx_file.h"
#include "graph/graph.h"

typedef struct OnnxGraph OnnxGraph;

/* The graph and its parameters (allocated) are borrowed until the file is written. ERR_MEMORY. */
Err onnx_graph_new(const Graph *graph, ParamSet *params, OnnxFile *file, OnnxGraph **ret_onnx);
void onnx_graph_free(OnnxGraph *onnx);

/* Says what an input of the graph is called in the file; channels_first: it is [B, C, H, W] there. Every input needs a name. */
void onnx_graph_name(OnnxGraph *onnx, Var input, const char *name, bool channels_first);

/* Adds all nodes. Errors stick to the file: ERR_UNSUPPORTED with the op that has no translation, and its module. */
void onnx_graph_translate(OnnxGraph *onnx);

/* The name of a value after that, translated in the form asked for. */
const char *onnx_graph_value(OnnxGraph *onnx, Var var, bool channels_first);

#endif
