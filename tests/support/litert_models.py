"""LiteRT models of single functions, of built-in operators alone, kept in memory."""

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from tfgen.portability import portable


def converted(function, *shapes):
    """Returns the LiteRT model of a function of float32 tensors of given shapes."""
    specs = [tf.TensorSpec(shape) for shape in shapes]
    with portable():
        concrete = tf.function(function, autograph=False).get_concrete_function(*specs)
    # variables inside a while loop must be constants before the converter sees them
    frozen = convert_variables_to_constants_v2(concrete, lower_control_flow=False)
    module = tf.Module()
    module.answer = tf.function(lambda *given: frozen(*given), autograph=False)
    signature = module.answer.get_concrete_function(*specs)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([signature], module)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    return converter.convert()


def _interpreter(model):
    # without the Flex delegate, operators that are not built in do not run
    plain = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    found = tf.lite.Interpreter(model_content=model, experimental_op_resolver_type=plain)
    found.allocate_tensors()
    return found


def operators(model):
    """Returns the names of a model's operators."""
    return {op["op_name"] for op in _interpreter(model)._get_ops_details()}


def run_once(model, *given):
    """Returns the one output of a model for given tensors."""
    interpreter = _interpreter(model)
    details = sorted(interpreter.get_input_details(), key=lambda detail: detail["name"])
    for detail, x in zip(details, given, strict=True):
        interpreter.set_tensor(detail["index"], x.numpy())
    interpreter.invoke()
    (made,) = interpreter.get_output_details()
    return interpreter.get_tensor(made["index"])
