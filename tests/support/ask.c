/* Asks a SavedModel through TensorFlow's C API: what a program that has no Python does.

   ask MODEL OUTPUT [INPUT TYPE SIDES FILE]...

   OUTPUT and INPUT are OPERATION:INDEX, TYPE float or int, SIDES like 3x8x8x1, FILE the raw numbers. Prints the
   numbers of the output, which must be floats; a refusal ends with exit code 1, its code and its message. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/c/c_api.h"

#define MOST 16

static TF_Status *status;

static void check(void) {
  if (TF_GetCode(status) != TF_OK) {
    fprintf(stderr, "%d %s\n", TF_GetCode(status), TF_Message(status));
    exit(1);
  }
}

static TF_Output find(TF_Graph *graph, char *name) {
  char *colon = strrchr(name, ':');
  *colon = 0;
  TF_Output found = {TF_GraphOperationByName(graph, name), atoi(colon + 1)};
  if (!found.oper) {
    fprintf(stderr, "no operation %s\n", name);
    exit(2);
  }
  return found;
}

static TF_Tensor *read(const char *type, char *sides, const char *path) {
  int64_t shape[MOST], count = 1;
  int rank = 0;
  for (char *side = strtok(sides, "x"); side; side = strtok(NULL, "x")) count *= shape[rank++] = atoll(side);
  TF_Tensor *tensor = TF_AllocateTensor(strcmp(type, "int") ? TF_FLOAT : TF_INT32, shape, rank, 4 * count);
  FILE *file = fopen(path, "rb");
  if (!file || fread(TF_TensorData(tensor), 4, count, file) != (size_t)count) {
    fprintf(stderr, "could not read %s\n", path);
    exit(2);
  }
  fclose(file);
  return tensor;
}

int main(int argc, char **argv) {
  const char *tags[] = {"serve"};
  status = TF_NewStatus();
  TF_Graph *graph = TF_NewGraph();
  TF_SessionOptions *options = TF_NewSessionOptions();
  TF_Session *session = TF_LoadSessionFromSavedModel(options, NULL, argv[1], tags, 1, graph, NULL, status);
  check();
  TF_Output output = find(graph, argv[2]), inputs[MOST];
  TF_Tensor *given[MOST], *answer;
  int count = (argc - 3) / 4;
  for (int i = 0; i < count; i++) {
    inputs[i] = find(graph, argv[3 + 4 * i]);
    given[i] = read(argv[4 + 4 * i], argv[5 + 4 * i], argv[6 + 4 * i]);
  }
  TF_SessionRun(session, NULL, inputs, given, count, &output, &answer, 1, NULL, 0, NULL, status);
  check();
  const float *numbers = TF_TensorData(answer);
  for (int64_t i = 0; i < TF_TensorElementCount(answer); i++) printf("%.9g\n", numbers[i]);
  return 0;
}
