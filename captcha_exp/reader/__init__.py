"""The code inside a served model: images to arrays, an ONNX network, probabilities to text."""
