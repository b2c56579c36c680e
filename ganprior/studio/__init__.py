"""The command line in a browser; needs Gradio, which ``pip install "ganprior[studio]"`` brings."""
