"""All that a served model carries: images to arrays, an ONNX network, probabilities to text."""
