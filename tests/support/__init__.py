"""What several test files need: run folders, films, CIFAR files, documents, and trainings in processes."""
